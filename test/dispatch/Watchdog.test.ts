import { describe, expect } from "bun:test"
import { type DateTime, Duration, Effect, Fiber, Layer, Option, Ref, TestClock } from "effect"
import { dispatch } from "../../src/dispatch/Dispatcher.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import {
  hello,
  limits,
  Manager,
  makeWorkers,
  notify,
  pause,
  quiet,
  runtime,
  told,
  whileDispatching
} from "./resident.ts"
import { queue, world } from "./world.ts"

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
