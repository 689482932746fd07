import { expect } from "bun:test"
import { Effect, Layer, Option, Ref, TestClock } from "effect"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { retaining } from "../../src/dispatch/Retention.ts"
import { it } from "../support/effect.ts"
import { Evidence, noEvidence, quiet } from "./resident.ts"
import { history, queue, says, world } from "./world.ts"

const none: Settings["retention"] = {
  completedDays: Option.none(),
  eventDays: Option.none(),
  artifactDays: Option.none()
}

const runtime = (retention: Settings["retention"]) =>
  Layer.merge(world({ adapters: { local: says("x") }, settings: { retention } }), noEvidence)

it.effect("what is kept for a day only goes when it is older, looked at once a day", () =>
  Effect.gen(function* () {
    const { looks } = yield* Evidence
    yield* queue()
    yield* Effect.fork(retaining)
    yield* TestClock.adjust("1 seconds")
    yield* quiet
    expect(yield* Ref.get(looks)).toBe(1)
    expect(yield* history).toEqual(["task_enqueued"])
    for (let hour = 0; hour < 47; hour++) yield* TestClock.adjust("1 hours")
    yield* TestClock.adjust("2 hours")
    yield* quiet
    expect(yield* Ref.get(looks)).toBe(3)
    expect(yield* history).toEqual([])
  }).pipe(Effect.provide(runtime({ ...none, eventDays: Option.some(1) })))
)

it.effect("nothing is looked at where nothing is to go", () =>
  Effect.gen(function* () {
    const { looks } = yield* Evidence
    yield* Effect.fork(retaining)
    for (let day = 0; day < 3; day++) yield* TestClock.adjust("1 days")
    yield* quiet
    expect(yield* Ref.get(looks)).toBe(0)
  }).pipe(Effect.provide(runtime(none)))
)
