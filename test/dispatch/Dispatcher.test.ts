import { describe, expect } from "bun:test"
import { DateTime, Duration, Effect, Option, TestClock } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { dispatch } from "../../src/dispatch/Dispatcher.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { save } from "../intake/schedules.ts"
import { it } from "../support/effect.ts"
import {
  limits,
  makeWorkers,
  pause,
  quiet,
  resume,
  runtime,
  stamp,
  times,
  told,
  whileDispatching
} from "./resident.ts"
import { DOOR, history, queue, says, taskOf, typesOf } from "./world.ts"

describe("a resident dispatcher", () => {
  it.effect("runs what is there and what comes, and tells once that it became idle", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        yield* told("dispatch_idle")
        const first = yield* queue()
        yield* told("dispatch_idle", 2)
        const second = yield* queue()
        yield* told("dispatch_idle", 3)
        expect((yield* taskOf(first)).status).toBe("completed")
        expect((yield* taskOf(second)).status).toBe("completed")
        yield* TestClock.adjust("1 minutes")
        yield* quiet
        expect(yield* times("dispatch_idle")).toBe(3)
      })
    ).pipe(Effect.provide(runtime()))
  )

  it.effect("runs as many at once as it may, and starts the next when one ends", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          for (let task = 0; task < 4; task++) yield* queue()
          const first = yield* workers.begun
          yield* workers.begun
          yield* workers.begun
          yield* quiet
          expect(yield* workers.waiting).toBe(0)
          yield* workers.end(first.taskId)
          yield* workers.begun
          expect(yield* times("dispatch_idle")).toBe(0)
        })
      ).pipe(Effect.provide(runtime({ adapters: { local: workers.act }, ...limits({ concurrency: 3 }) })))
    })
  )

  it.effect("is idle when nothing runs any more, not while something does", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          const id = yield* queue()
          yield* workers.begun
          yield* quiet
          expect(yield* times("dispatch_idle")).toBe(1)
          yield* workers.end(id)
          yield* told("dispatch_idle", 2)
          expect((yield* taskOf(id)).status).toBe("completed")
        })
      ).pipe(Effect.provide(runtime({ adapters: { local: workers.act }, ...limits({ concurrency: 3 }) })))
    })
  )

  it.effect("keeps to the limit of an adapter and fills its room with others", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      const given = {
        adapters: { local: workers.act, narrow: workers.act },
        ...limits({ concurrency: 4, adapterConcurrency: new Map([["narrow", 1]]) })
      }
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          const narrow = [
            yield* queue({ requestedAdapter: "narrow", priority: 9 }),
            yield* queue({ requestedAdapter: "narrow", priority: 9 })
          ] as const
          const other = yield* queue()
          const begun = [(yield* workers.begun).taskId, (yield* workers.begun).taskId]
          expect(new Set(begun)).toEqual(new Set([narrow[0], other]))
          yield* quiet
          expect(yield* workers.waiting).toBe(0)
          yield* workers.end(narrow[0])
          expect((yield* workers.begun).taskId).toBe(narrow[1])
        })
      ).pipe(Effect.provide(runtime(given)))
    })
  )

  it.effect(
    "starts nothing from the moment that it is paused, lets run what runs, and goes on when resumed",
    () =>
      Effect.gen(function* () {
        const workers = yield* makeWorkers
        yield* whileDispatching(() =>
          Effect.gen(function* () {
            const first = yield* queue()
            yield* workers.begun
            yield* pause("lunch")
            yield* told("dispatch_paused")
            const second = yield* queue()
            yield* workers.end(first)
            yield* told("task_finished")
            yield* TestClock.adjust("1 minutes")
            yield* quiet
            expect((yield* taskOf(first)).status).toBe("completed")
            expect((yield* taskOf(second)).status).toBe("pending")
            expect(yield* times("dispatch_paused")).toBe(1)
            yield* resume
            expect((yield* workers.begun).taskId).toBe(second)
          })
        ).pipe(Effect.provide(runtime({ adapters: { local: workers.act }, ...limits({ concurrency: 2 }) })))
      })
  )

  it.effect("starts a delayed task when it is due, and not before", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        yield* told("dispatch_idle")
        const id = yield* queue({ schedule: { delayMinutes: 7 } })
        yield* TestClock.adjust(Duration.millis(7 * 60_000 - 1))
        yield* quiet
        expect((yield* taskOf(id)).status).toBe("pending")
        yield* TestClock.adjust("1 millis")
        yield* told("dispatch_idle", 2)
        expect((yield* taskOf(id)).status).toBe("completed")
      })
    ).pipe(Effect.provide(runtime()))
  )

  it.effect("starts what an adapter's cool-down held back when it ends", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        const store = yield* Store
        yield* told("dispatch_idle")
        const at = yield* now
        const cooldown = {
          adapterId: "local",
          reason: Option.none(),
          until: DateTime.add(at, { seconds: 90 })
        }
        yield* store.gates.coolDown(cooldown, Option.none(), { at, actor: DOOR.actor })
        const id = yield* queue()
        yield* TestClock.adjust("89 seconds")
        yield* quiet
        expect((yield* taskOf(id)).status).toBe("pending")
        yield* TestClock.adjust("1 seconds")
        yield* told("dispatch_idle", 2)
        expect((yield* taskOf(id)).status).toBe("completed")
      })
    ).pipe(Effect.provide(runtime()))
  )

  it.effect("creates and runs the tasks of schedules when they are due", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        yield* told("dispatch_idle")
        yield* save({ interval_seconds: 60 })
        // What is not to be claimed is looked at 50 ms after a commit at the latest.
        yield* TestClock.adjust("50 millis")
        yield* told("task_finished", 1)
        for (let run = 2; run <= 4; run++) {
          yield* TestClock.adjust("1 minutes")
          yield* told("task_finished", run)
        }
        expect(yield* times("schedule_task_created")).toBe(4)
      })
    ).pipe(Effect.provide(runtime()))
  )

  it.effect("first puts back what a dead dispatcher left, and then says that it is ready", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* store.tasks.claim({
        lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
        attemptId: AttemptId.make("dead-attempt"),
        runnerId: RunnerId.make("dead:1:then"),
        host: "memory",
        stamp: yield* stamp
      })
      yield* whileDispatching(() => told("dispatch_idle"))
      expect((yield* typesOf(id)).slice(0, 5)).toEqual([
        "task_enqueued",
        "task_claimed",
        "boot_sweep_reclaimed",
        "task_attempt_finished",
        "task_retry_scheduled"
      ])
      expect((yield* taskOf(id)).status).toBe("completed")
    }).pipe(Effect.provide(runtime()))
  )

  it.effect("leaves what a dispatcher that lives still runs, and puts it back when that one has died", () => {
    const other = RunnerId.make("other:1:then")
    const living = new Set([other])
    return Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      const record = { runnerId: other, host: "memory", pid: 7, processMark: Option.none(), limits: {} }
      yield* store.runners.begin(
        { ...record, mode: "dispatch", lockPath: "/memory/dispatch.lock" },
        yield* stamp
      )
      yield* store.tasks.claim({
        lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
        attemptId: AttemptId.make("others-attempt"),
        runnerId: other,
        host: "memory",
        stamp: yield* stamp
      })
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          yield* TestClock.adjust("1 minutes")
          yield* quiet
          expect((yield* taskOf(id)).status).toBe("running")
          living.delete(other)
          yield* TestClock.adjust("5 seconds")
          yield* told("task_finished")
        })
      )
      expect((yield* taskOf(id)).status).toBe("completed")
      expect(yield* times("boot_sweep_reclaimed")).toBe(1)
    }).pipe(Effect.provide(runtime({ adapters: { local: says("done") }, living })))
  })

  it.effect("sets a task aside that loses its attempt while it dispatches", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        yield* told("dispatch_idle")
        const sqlite = yield* Sqlite
        const id = yield* queue({ availableAt: DateTime.add(yield* now, { days: 1 }) })
        const text = "UPDATE tasks SET status = 'running'"
        yield* sqlite.transact("damage", sqlite.rows({ text, names: [] }))
        yield* TestClock.adjust("30 seconds")
        yield* told("record_quarantined")
        expect((yield* taskOf(id)).status).toBe("blocked")
      })
    ).pipe(Effect.provide(runtime()))
  )

  it.effect("is refused while another one holds the lock", () =>
    whileDispatching(() =>
      Effect.gen(function* () {
        yield* told("dispatch_idle")
        const before = yield* history
        expect(yield* Effect.flip(dispatch)).toMatchObject({ _tag: "LockHeld" })
        expect(yield* history).toEqual(before)
      })
    ).pipe(Effect.provide(runtime()))
  )
})
