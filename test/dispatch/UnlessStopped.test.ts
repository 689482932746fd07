import { expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, Ref, TestClock } from "effect"
import type { StopReason } from "../../src/adapter/AdapterRegistry.ts"
import { unlessStopped } from "../../src/dispatch/UnlessStopped.ts"
import { it } from "../support/effect.ts"

const stopped = Effect.succeed<StopReason>("drain")

it.effect("what is looked at for ever is interrupted some seconds after the attempt was told to end", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const isInterrupted = yield* Ref.make(false)
    const look = Effect.onInterrupt(Effect.never, () => Ref.set(isInterrupted, true))
    const fiber = yield* Effect.fork(
      unlessStopped(look, stop, (reason) => Effect.succeed(`instead: ${reason}`))
    )
    yield* TestClock.adjust("1 hour")
    expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
    yield* Deferred.complete(stop, stopped)
    yield* TestClock.adjust("4 seconds")
    expect(yield* Ref.get(isInterrupted)).toBe(false)
    yield* TestClock.adjust("1 second")
    expect(yield* Fiber.join(fiber)).toBe("instead: drain")
    expect(yield* Ref.get(isInterrupted)).toBe(true)
  })
)

it.effect("what comes to its end in that time counts, and so does its failure", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    yield* Deferred.complete(stop, stopped)
    const never = () => Effect.dieMessage("nothing is wanted instead")
    const soon = yield* Effect.fork(
      unlessStopped(Effect.delay(Effect.succeed("seen"), "4 seconds"), stop, never)
    )
    const failing = yield* Effect.fork(
      Effect.flip(unlessStopped(Effect.delay(Effect.fail("wrong"), "4 seconds"), stop, never))
    )
    yield* TestClock.adjust("4 seconds")
    expect([yield* Fiber.join(soon), yield* Fiber.join(failing)]).toEqual(["seen", "wrong"])
  })
)
