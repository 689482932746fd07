import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { pause, resume, shown } from "../../src/operate/Pause.ts"
import { heartbeat, status } from "../../src/operate/State.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { DOOR, history, queue, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const told = Effect.flatMap(status.run({}, DOOR.actor), Schema.encode(status.output))

describe("status", () => {
  it.effect("of a fresh runtime is idle, with nothing in it", () =>
    Effect.gen(function* () {
      expect(yield* told).toEqual({
        runtime_name: "test",
        runtime_state: "idle",
        counts: {
          queued: 0,
          running: 0,
          completed: 0,
          blocked: 0,
          retryable_failure: 0,
          permanent_failure: 0,
          operator_canceled: 0
        },
        dispatch_paused: { paused: false, reason: null, updated_at: null },
        dispatcher: { held: false, runner_id: null, since: null },
        last_event: null,
        recent: []
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("counts tasks, names the newest five with attempt and bundle, and shows the last event", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 6; n++) yield* queue({ subject: `task ${n}` })
      yield* queue({ subject: "the last", priority: 9 })
      yield* runOnce
      const found = yield* told
      expect(found.counts).toMatchObject({ queued: 6, completed: 1 })
      expect(found.recent.map((task) => task.subject)).toEqual([
        "the last",
        "task 5",
        "task 4",
        "task 3",
        "task 2"
      ])
      expect(found.recent[0]).toMatchObject({ status: "completed", operator_summary: "hello" })
      expect(found.recent[0]?.attempt_id).toBeString()
      expect(found.recent[0]?.bundle_hash).toMatch(/^[0-9a-f]{64}$/)
      expect(found.recent[1]).toMatchObject({ attempt_id: null, bundle_hash: null })
      expect(found.last_event?.event_type).toBe("task_finished")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("does not call running what a dead dispatcher left, and tells when one stops", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const store = yield* Store
      const runnerId = RunnerId.make("host:7:then")
      const stamp = { at: yield* now, actor: DOOR.actor }
      const record = {
        runnerId,
        host: "h",
        pid: 1,
        processMark: Option.none(),
        mode: "dispatch" as const,
        lockPath: "/memory/dispatch.lock"
      }
      yield* store.runners.begin({ ...record, limits: {} }, stamp)
      yield* queue()
      const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
      yield* store.tasks.claim({ lanes, attemptId: AttemptId.make("a1"), runnerId, host: "h", stamp })
      const held = told.pipe(lock.hold("/memory/dispatch.lock", runnerId))
      expect(yield* held).toMatchObject({ runtime_state: "running", counts: { running: 1 } })
      expect((yield* held).dispatcher).not.toHaveProperty("draining_since")
      yield* store.runners.drains(runnerId, stamp)
      expect((yield* held).dispatcher.draining_since).toBe("1970-01-01T00:00:00.000Z")
      expect(yield* told).toMatchObject({
        runtime_state: "idle",
        counts: { running: 1 },
        dispatcher: { held: false }
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("names who holds the dispatch lock, since when", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const found = yield* told.pipe(lock.hold("/memory/dispatch.lock", RunnerId.make("host:7:then")))
      expect(found.dispatcher).toEqual({
        held: true,
        runner_id: "host:7:then",
        since: "1970-01-01T00:00:00.000Z"
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("changes nothing", () =>
    Effect.gen(function* () {
      yield* queue()
      const before = yield* history
      yield* told
      expect(yield* history).toEqual(before)
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("a pause", () => {
  it.effect(
    "shows its latest reason and its time, and ends with a resume that is told with time and name",
    () =>
      Effect.gen(function* () {
        yield* pause.run({ reason: Option.some("one") }, DOOR.actor)
        yield* pause.run({ reason: Option.some("two") }, DOOR.actor)
        expect(yield* told).toMatchObject({
          runtime_state: "paused",
          dispatch_paused: { paused: true, reason: "two", updated_at: "1970-01-01T00:00:00.000Z" }
        })
        expect(yield* shown.run({}, DOOR.actor)).toMatchObject({
          reason: Option.some("two"),
          actor: DOOR.actor
        })
        yield* TestClock.adjust("1 minute")
        const ben = { surface: "http", name: "ben" } as const
        const first = yield* Effect.flatMap(resume.run({}, ben), Schema.encode(resume.output))
        yield* TestClock.adjust("1 minute")
        const again = yield* Effect.flatMap(resume.run({}, DOOR.actor), Schema.encode(resume.output))
        const updated_at = "1970-01-01T00:01:00.000Z"
        for (const answer of [first, again])
          expect(answer).toEqual({ paused: false, reason: null, updated_at })
        expect(yield* told).toMatchObject({
          runtime_state: "idle",
          dispatch_paused: { paused: false, reason: null, updated_at }
        })
        expect(yield* Effect.flatMap(shown.run({}, DOOR.actor), Schema.encode(shown.output))).toEqual({
          paused: false,
          reason: null,
          updated_at,
          actor: ben
        })
        expect(yield* history).toEqual([
          "dispatch_pause_enabled",
          "dispatch_pause_enabled",
          "dispatch_pause_cleared"
        ])
      }).pipe(Effect.provide(world(quiet)))
  )
})

it.effect("the heartbeat is none when the store is not where it was", () =>
  Effect.gen(function* () {
    const store = yield* Store
    expect(yield* heartbeat.run({}, DOOR.actor)).toMatchObject({ ok: true })
    const gone = new StoreUnavailable({ path: "/x", reason: "it was removed", remedy: "", isLost: true })
    const lost = { ...store, maintenance: { ...store.maintenance, here: Effect.fail(gone) } }
    const beat = Effect.provideService(heartbeat.run({}, DOOR.actor), Store, lost)
    expect(yield* Effect.flip(beat)).toMatchObject({ isLost: true })
  }).pipe(Effect.provide(world(quiet)))
)
