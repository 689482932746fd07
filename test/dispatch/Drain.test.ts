import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Option, TestClock } from "effect"
import { dispatch } from "../../src/dispatch/Dispatcher.ts"
import { Hurry } from "../../src/dispatch/Hurry.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"
import { limits, Manager, makeWorkers, quiet, runtime, times, told, withStore } from "./resident.ts"
import { queue, taskOf, typesOf } from "./world.ts"

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
        const holder = Option.getOrThrow(yield* lock.holder("/memory/dispatch.lock"))
        const record = yield* (yield* Store).runners.find(Option.getOrThrow(holder.runnerId))
        expect(Option.map(record, ({ drainingSince }) => Option.isSome(drainingSince))).toEqual(
          Option.some(true)
        )
        yield* workers.end(first)
        yield* Fiber.join(interrupt)
        expect((yield* taskOf(first)).status).toBe("completed")
        expect((yield* taskOf(second)).status).toBe("pending")
        expect(yield* lock.holder("/memory/dispatch.lock")).toEqual(Option.none())
        expect((yield* (yield* Manager).told).at(-1)).toBe("STOPPING")
      }).pipe(Effect.provide(runtime(given)))
    })
  )

  /** A store whose transactions of that name wait until the test says so. */
  const waitingFor = (transaction: string) =>
    Effect.gen(function* () {
      const [asked, free] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slowly = withStore(({ transact }) => ({
        transact: (name, program) =>
          name === transaction
            ? Effect.zipRight(
                Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(free)),
                transact(name, program)
              )
            : transact(name, program)
      }))
      return { asked: Deferred.await(asked), free: Deferred.succeed(free, undefined), slowly }
    })

  it.effect("claims nothing with an end that waited for the store meanwhile", () =>
    Effect.gen(function* () {
      const { given, workers } = yield* scene(1)
      const store = yield* waitingFor("HandOver.handOver")
      yield* Effect.gen(function* () {
        const dispatcher = yield* Effect.fork(store.slowly(dispatch))
        const first = yield* queue()
        const second = yield* queue()
        yield* workers.begun
        yield* workers.end(first)
        yield* store.asked
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* quiet
        yield* store.free
        yield* Fiber.join(interrupt)
        expect((yield* taskOf(first)).status).toBe("completed")
        expect(yield* taskOf(second)).toMatchObject({ status: "pending", attemptCount: 0 })
      }).pipe(Effect.provide(runtime(given)))
    })
  )

  for (const [what, program] of [
    ["a dispatcher", dispatch],
    ["a single cycle", runOnce]
  ] as const)
    it.effect(`${what} that waited for the store with its claim claims nothing then`, () =>
      Effect.gen(function* () {
        const store = yield* waitingFor("Steps.claim")
        yield* Effect.gen(function* () {
          const task = yield* queue()
          const running = yield* Effect.fork(store.slowly(Effect.asVoid(program)))
          yield* store.asked
          const interrupt = yield* Effect.fork(Fiber.interrupt(running))
          yield* quiet
          yield* store.free
          yield* Fiber.join(interrupt)
          expect(yield* taskOf(task)).toMatchObject({ status: "pending", attemptCount: 0 })
          expect(yield* times("dispatch_idle")).toBe(0)
        }).pipe(Effect.provide(runtime()))
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

  it.effect(
    "stops at once what runs when the store is lost, waits for no better time to record it, and fails",
    () =>
      Effect.gen(function* () {
        const { given, workers } = yield* scene(1)
        const found = yield* Deferred.make<never, StoreUnavailable>()
        const gone = new StoreUnavailable({ path: "/x", reason: "it was removed", remedy: "", isLost: true })
        yield* Effect.gen(function* () {
          const store = yield* Store
          const whileThere = <A, E, R>(program: Effect.Effect<A, E, R>) =>
            Effect.flatMap(
              Deferred.isDone(found),
              (isLost): Effect.Effect<A, E | StoreUnavailable, R> => (isLost ? Effect.fail(gone) : program)
            )
          const dispatcher = yield* Effect.fork(
            Effect.provideService(dispatch, Store, {
              ...store,
              maintenance: {
                ...store.maintenance,
                here: whileThere(Effect.void),
                lost: Deferred.await(found)
              },
              tasks: { ...store.tasks, settle: (settlement) => whileThere(store.tasks.settle(settlement)) }
            })
          )
          const id = yield* queue()
          const { stop } = yield* workers.begun
          yield* Deferred.fail(found, gone)
          expect(yield* Effect.flip(Fiber.join(dispatcher))).toEqual(gone)
          expect(yield* Deferred.await(stop)).toBe("drain")
          expect((yield* taskOf(id)).status).toBe("running")
        }).pipe(Effect.provide(runtime(given)))
      })
  )

  it.effect("stops at once what runs when it is hurried, and puts it back", () =>
    Effect.gen(function* () {
      const { given, workers } = yield* scene(1)
      const asked = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const dispatcher = yield* Effect.fork(
          Effect.provideService(dispatch, Hurry, { asked: Deferred.await(asked) })
        )
        const id = yield* queue()
        const { stop } = yield* workers.begun
        const interrupt = yield* Effect.fork(Fiber.interrupt(dispatcher))
        yield* quiet
        expect(yield* Deferred.isDone(stop)).toBe(false)
        yield* Deferred.succeed(asked, undefined)
        yield* Fiber.join(interrupt)
        expect(yield* taskOf(id)).toMatchObject({ status: "retryable_failure", attemptCount: 0 })
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
