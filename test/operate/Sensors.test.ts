import { expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import sensorEvent from "../../fixtures/sensor-event.json"
import { accept, list } from "../../src/operate/Sensors.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const sent = (changes: Record<string, unknown> = {}) =>
  Effect.flatMap(accept.run({ ...sensorEvent, ...changes }, DOOR.actor), Schema.encode(accept.output))

it.effect("an observation answers what it made, and a repeat the same ids", () =>
  Effect.gen(function* () {
    const first = yield* sent()
    expect(Object.keys(first)).toEqual(["accepted", "task_id", "workflow_id", "event"])
    expect(first).toMatchObject({ accepted: true, workflow_id: 1, event: { stale: false, workflow_id: 1 } })
    expect(first.task_id).toBe(first.event.task_id)
    expect(first.task_id).not.toBeNull()
    expect(yield* sent({ payload: {} })).toEqual({ ...first, accepted: false })
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("an observation that came too late is accepted, says so, and names nothing", () =>
  Effect.gen(function* () {
    yield* TestClock.adjust("1 second")
    const late = { freshness_deadline: "1970-01-01T00:00:00Z" }
    expect(yield* sent(late)).toMatchObject({
      accepted: true,
      stale: true,
      task_id: null,
      workflow_id: null,
      event: { stale: true }
    })
    const again = yield* sent(late)
    expect(Object.keys(again)).toEqual(["accepted", "task_id", "workflow_id", "event"])
    expect(again).toMatchObject({ accepted: false, event: { stale: true } })
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("observations are listed newest first", () =>
  Effect.gen(function* () {
    for (const key of ["a", "b", "c"]) {
      yield* sent({ event_id: key, dedupe_key: key })
      yield* TestClock.adjust("1 second")
    }
    const page = (after: string | null) =>
      Effect.flatMap(
        list.run({ limit: 2, after: Option.fromNullable(after) }, DOOR.actor),
        Schema.encode(list.output)
      )
    const first = yield* page(null)
    expect(first.events.map((one) => one.event_id)).toEqual(["c", "b"])
    const last = yield* page(first.next)
    expect([last.events.map((one) => one.event_id), last.next]).toEqual([["a"], null])
    expect(yield* Effect.flip(page("bm8"))).toMatchObject({ code: "bad_cursor" })
  }).pipe(Effect.provide(world(quiet)))
)
