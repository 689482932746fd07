import { expect } from "bun:test"
import { Effect, Option, TestClock } from "effect"
import { releaseLost } from "../../src/dispatch/Lost.ts"
import { next } from "../../src/dispatch/Steps.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { queue, says, taskOf, world } from "./world.ts"

it.effect("attempts that a store keeps from their end count after twenty of them in a round", () =>
  Effect.gen(function* () {
    const id = yield* queue({ maxAttempts: 2 })
    const lost = Effect.gen(function* () {
      const found = yield* next()
      if (found._tag !== "Claimed") return yield* Effect.dieMessage(`nothing was claimed: ${found._tag}`)
      yield* releaseLost(found.claimed)
      yield* TestClock.adjust("5 minutes")
    })
    yield* Effect.replicateEffect(lost, 20)
    expect(yield* taskOf(id)).toMatchObject({ status: "retryable_failure", attemptCount: 0 })
    yield* Effect.replicateEffect(lost, 2)
    const { task, round } = Option.getOrThrow(yield* (yield* Store).tasks.find(id))
    expect([task.status, task.attemptCount, round.notCounted]).toEqual(["blocked", 2, 20])
    expect(Option.getOrThrow(task.lastError)).toMatch(/^attempts_used_up: .* the last one: interrupted: /)
  }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
)
