import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, TestClock } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, RunnerId, type TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { cancelMatching } from "../../src/operate/Bulk.ts"
import { cancel, show } from "../../src/operate/Tasks.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, eventsOf, queue, says, taskOf, typesOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const force = (id: TaskId) => cancel.run({ id, reason: Option.some("stop it"), force: true }, DOOR.actor)

const claimForTheDead = Effect.gen(function* () {
  const store = yield* Store
  yield* store.tasks.claim({
    lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
    attemptId: AttemptId.make("a1"),
    runnerId: RunnerId.make("dead:1:then"),
    host: "memory",
    stamp: { at: yield* now, actor: DOOR.actor }
  })
})

describe("a forced cancel of a running task", () => {
  it.effect("answers at once that it is requested, and its dispatcher stops the adapter", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const adapter = (job: Job) =>
        Deferred.succeed(began, undefined).pipe(
          Effect.zipRight(Deferred.await(job.stop)),
          Effect.as({ exitStatus: "canceled" as const })
        )
      const story = Effect.gen(function* () {
        const id = yield* queue()
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        expect(yield* force(id)).toEqual({ ok: true, task_id: id, status: "cancel_requested" })
        // So often a running attempt looks for a request.
        yield* TestClock.adjust("50 millis")
        yield* Fiber.join(cycle)
        expect((yield* taskOf(id)).status).toBe("operator_canceled")
      })
      yield* Effect.provide(story, world({ adapters: { local: adapter } }))
    })
  )

  it.effect("is done by the caller where no dispatcher is alive, its processes ended first", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimForTheDead
      expect(yield* force(id)).toEqual({ ok: true, task_id: id, status: "operator_canceled" })
      expect((yield* typesOf(id)).slice(-4)).toEqual([
        "task_cancel_requested",
        "boot_sweep_reclaimed",
        "task_attempt_finished",
        "task_operator_canceled"
      ])
      const lock = yield* Lock
      expect(yield* lock.holder("/memory/dispatch.lock")).toEqual(Option.none())
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )

  it.effect("tells that it is blocked where processes survive", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimForTheDead
      expect((yield* force(id)).status).toBe("blocked")
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") }, survivors: { a1: ["7 (x)"] } })))
  )
})

describe("a forced cancel of a task that is running without a running attempt", () => {
  const finished = Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const text = "UPDATE attempts SET status = 'finished', ended_at = started_at"
    yield* sqlite.transact("damage", sqlite.rows({ text, names: [] }))
  })

  const ends = (id: TaskId) =>
    Effect.gen(function* () {
      expect(yield* force(id)).toEqual({ ok: true, task_id: id, status: "operator_canceled" })
      const last = (yield* eventsOf(id)).at(-1)
      expect(last).toMatchObject({
        eventType: "task_operator_canceled",
        actor: DOOR.actor,
        detail: { from: "running", reason: "stop it" }
      })
      expect((yield* Effect.flip(force(id))).message).toContain("it is operator_canceled already")
    })

  it.effect("ends it at once while a dispatcher is alive, and task-show says before what is wrong", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const id = yield* queue()
      yield* claimForTheDead
      yield* finished
      const { waiting } = yield* show.run({ id }, DOOR.actor)
      expect(Option.getOrThrow(waiting)).toMatchObject({
        reason: "operator",
        detail: expect.stringContaining("running without a running attempt")
      })
      yield* ends(id).pipe(lock.hold("/memory/dispatch.lock", RunnerId.make("other:2:now")))
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )

  it.effect("ends it, too, where its end had been asked for before", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* claimForTheDead
      yield* store.tasks.requestCancel(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      yield* finished
      yield* ends(id)
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )

  it.effect("ends it among many", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimForTheDead
      yield* finished
      const filter = { status: ["running" as const], kind: Option.none(), source: Option.none() }
      const wanted = { filter, dryRun: false, reason: Option.none(), force: true }
      expect(yield* cancelMatching.run(wanted, DOOR.actor)).toMatchObject({ matched: 1, moved: 1 })
      expect((yield* taskOf(id)).status).toBe("operator_canceled")
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )
})

describe("a forced cancel", () => {
  it.effect("of a task that does not run simply cancels it", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      expect((yield* force(id)).status).toBe("operator_canceled")
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )

  it.effect("of a task that has ended is refused", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* runOnce
      const refusal = yield* Effect.flip(force(id))
      expect(refusal).toMatchObject({ code: "move_refused", exitCode: 1 })
      expect(refusal.message).toContain("it is completed already")
    }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))
  )
})
