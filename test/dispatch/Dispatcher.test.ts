import { describe, expect } from "bun:test"
import { DateTime, Deferred, Duration, Effect, Fiber, Layer, Metric, Option, Ref, TestClock } from "effect"
import { dispatch } from "../../src/dispatch/Dispatcher.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { restarts } from "../../src/dispatch/Supervise.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"
import { save } from "../intake/schedules.ts"
import { it } from "../support/effect.ts"
import {
  limits,
  Manager,
  makeWorkers,
  notify,
  quiet,
  times,
  told,
  whileDispatching,
  whileTimePasses
} from "./resident.ts"
import { DOOR, history, queue, says, taskOf, typesOf, world } from "./world.ts"

const hello = { adapters: { local: says("hello") } }

const runtime = (given: Parameters<typeof world>[0] = hello) => Layer.merge(world(given), notify())

const stamp = Effect.map(now, (at) => ({ at, actor: DOOR.actor }))

const pause = (reason: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.gates.setPause(Option.some(reason), yield* stamp)
  })

const resume = Effect.gen(function* () {
  const store = yield* Store
  yield* store.gates.clearPause(yield* stamp)
})

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

describe("a dispatcher that is told to end", () => {
  const scene = (concurrency: number) =>
    Effect.map(makeWorkers, (workers) => ({
      workers,
      given: { adapters: { local: workers.act }, ...limits({ concurrency, drainSeconds: 30 }) }
    }))

  it.effect("claims nothing more and waits for what runs", () =>
    Effect.gen(function* () {
      const { given, workers } = yield* scene(1)
      yield* Effect.gen(function* () {
        const lock = yield* Lock
        const dispatcher = yield* Effect.fork(dispatch)
        const first = yield* queue()
        const second = yield* queue()
        yield* workers.begun
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* TestClock.adjust("29 seconds")
        expect(yield* Fiber.poll(interrupt)).toEqual(Option.none())
        expect(Option.isSome(yield* lock.holder("/memory/dispatch.lock"))).toBe(true)
        yield* workers.end(first)
        yield* Fiber.join(interrupt)
        expect((yield* taskOf(first)).status).toBe("completed")
        expect((yield* taskOf(second)).status).toBe("pending")
        expect(yield* lock.holder("/memory/dispatch.lock")).toEqual(Option.none())
        expect((yield* (yield* Manager).told).at(-1)).toBe("STOPPING")
      }).pipe(Effect.provide(runtime(given)))
    })
  )

  it.effect("stops what still runs after the drain time and puts it back, uncounted and due at once", () =>
    Effect.gen(function* () {
      const { given, workers } = yield* scene(2)
      yield* Effect.gen(function* () {
        const dispatcher = yield* Effect.fork(dispatch)
        const ids = [yield* queue(), yield* queue()]
        const jobs = [yield* workers.begun, yield* workers.begun]
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* TestClock.adjust("29 seconds")
        expect(yield* Effect.forEach(jobs, ({ stop }) => Deferred.isDone(stop))).toEqual([false, false])
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(interrupt)
        for (const id of ids) {
          const task = yield* taskOf(id)
          expect(task).toMatchObject({ status: "retryable_failure", attemptCount: 0 })
          expect(DateTime.toEpochMillis(task.availableAt)).toBe(30_000)
          expect((yield* typesOf(id)).slice(-2)).toEqual(["task_attempt_finished", "dispatch_drained"])
        }
      }).pipe(Effect.provide(runtime(given)))
    })
  )

  it.effect("does not wait for ever for an attempt that does not stop", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const deaf = () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
      yield* Effect.gen(function* () {
        const dispatcher = yield* Effect.fork(dispatch)
        const id = yield* queue()
        yield* Deferred.await(began)
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* TestClock.adjust("30 seconds")
        yield* quiet
        yield* TestClock.adjust("30 seconds")
        yield* Fiber.join(interrupt)
        expect((yield* taskOf(id)).status).toBe("running")
      }).pipe(Effect.provide(runtime({ adapters: { local: deaf } })))
    })
  )

  it.effect("ends at once when nothing runs", () =>
    Effect.gen(function* () {
      const dispatcher = yield* Effect.fork(dispatch)
      yield* told("dispatch_idle")
      yield* Fiber.interrupt(dispatcher)
      const store = yield* Store
      expect(yield* store.attempts.openOfOthers(RunnerId.make("nobody"))).toEqual([])
    }).pipe(Effect.provide(runtime()))
  )
})

describe("a fault in one loop", () => {
  const countOf = (loop: string) =>
    Effect.map(Metric.value(Metric.tagged(restarts, "loop", loop)), ({ count }) => count)

  it.effect("ends no other, is counted, and the loop is begun anew after a while", () =>
    Effect.gen(function* () {
      const before = yield* countOf("produce")
      const faults = yield* Ref.make(0)
      const scheduler = yield* Scheduler
      const faulty = Scheduler.of({
        ...scheduler,
        nextDue: Effect.zipRight(
          Ref.update(faults, (count) => count + 1),
          Effect.die(new Error("a schedule of glass"))
        )
      })
      yield* Effect.provideService(
        whileDispatching(() =>
          Effect.gen(function* () {
            yield* told("dispatch_idle")
            const id = yield* queue()
            yield* told("dispatch_idle", 2)
            expect((yield* taskOf(id)).status).toBe("completed")
            const some = Effect.repeat(Effect.yieldNow(), {
              until: () => Effect.map(Ref.get(faults), (n) => n > 2)
            })
            yield* whileTimePasses(yield* Effect.fork(some))
            expect((yield* countOf("produce")) - before).toBe(yield* Ref.get(faults))
          })
        ),
        Scheduler,
        faulty
      )
    }).pipe(Effect.provide(runtime()))
  )

  it.effect("of claiming does not stop claiming for good, and nothing is told twice", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const broken = yield* Ref.make(false)
      const flaky = {
        ...store,
        tasks: {
          ...store.tasks,
          promote: (at: DateTime.Utc) =>
            Effect.flatMap(Ref.get(broken), (isBroken) =>
              isBroken ? Effect.dieMessage("no") : store.tasks.promote(at)
            )
        }
      }
      yield* Effect.provideService(
        whileDispatching(() =>
          Effect.gen(function* () {
            yield* told("dispatch_idle")
            yield* Ref.set(broken, true)
            const id = yield* queue()
            yield* TestClock.adjust("1 minutes")
            yield* quiet
            expect((yield* taskOf(id)).status).toBe("pending")
            yield* Ref.set(broken, false)
            yield* whileTimePasses(yield* Effect.fork(told("dispatch_idle", 2)))
            expect((yield* taskOf(id)).status).toBe("completed")
          })
        ),
        Store,
        flaky
      )
    }).pipe(Effect.provide(runtime()))
  )
})

describe("the service manager", () => {
  const watched = Layer.merge(world(hello), notify(Option.some(Duration.seconds(30))))

  it.effect("is told when it is ready, what runs, and that it stops", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        yield* whileDispatching(() =>
          Effect.gen(function* () {
            const id = yield* queue()
            yield* workers.begun
            yield* pause("lunch")
            yield* workers.end(id)
            yield* told("dispatch_paused")
            yield* quiet
          })
        )
        expect(yield* manager.told).toEqual(["READY", "STATUS 1 running", "STATUS paused", "STOPPING"])
      }).pipe(Effect.provide(runtime({ adapters: { local: workers.act } })))
    })
  )

  it.effect("gets three signs of life in the span that it asks for", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const signs = Effect.map(manager.told, (words) => words.filter((word) => word === "ALIVE").length)
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          for (let step = 1; step <= 20; step++) {
            yield* TestClock.adjust("10 seconds")
            yield* quiet
            expect(yield* signs).toBe(step + 1)
          }
        })
      )
    }).pipe(Effect.provide(watched))
  )

  it.effect("gets none when the claim loop hangs", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const store = yield* Store
      const hangs = yield* Ref.make(false)
      const signs = Effect.map(manager.told, (words) => words.filter((word) => word === "ALIVE").length)
      const hanging = {
        ...store,
        tasks: {
          ...store.tasks,
          promote: (at: DateTime.Utc) =>
            Effect.flatMap(Ref.get(hangs), (now) =>
              now ? Effect.interruptible(Effect.never) : store.tasks.promote(at)
            )
        }
      }
      yield* Effect.provideService(
        whileDispatching(() =>
          Effect.gen(function* () {
            yield* told("dispatch_idle")
            yield* Ref.set(hangs, true)
            yield* TestClock.adjust("80 seconds")
            yield* quiet
            const before = yield* signs
            yield* TestClock.adjust("60 seconds")
            yield* quiet
            expect(yield* signs).toBe(before)
          })
        ),
        Store,
        hanging
      )
    }).pipe(Effect.provide(watched))
  )

  it.effect("gets signs of life while the dispatcher waits for what runs, however long that takes", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      const given = { adapters: { local: workers.act }, ...limits({ drainSeconds: 300 }) }
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const signs = Effect.map(manager.told, (words) => words.filter((word) => word === "ALIVE").length)
        const dispatcher = yield* Effect.fork(dispatch)
        const id = yield* queue()
        yield* workers.begun
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* TestClock.adjust("100 seconds")
        yield* quiet
        const before = yield* signs
        yield* TestClock.adjust("100 seconds")
        yield* quiet
        expect((yield* signs) - before).toBeGreaterThanOrEqual(9)
        yield* workers.end(id)
        yield* Fiber.join(interrupt)
      }).pipe(Effect.provide(Layer.merge(world(given), notify(Option.some(Duration.seconds(30))))))
    })
  )
})
