import { describe, expect } from "bun:test"
import { type DateTime, Effect, Metric, Ref, TestClock } from "effect"
import { restarts } from "../../src/dispatch/Supervise.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { quiet, runtime, told, whileDispatching, whileTimePasses } from "./resident.ts"
import { queue, taskOf } from "./world.ts"

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
        putRight: Effect.void,
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
