import { expect } from "bun:test"
import { Effect, FiberRef, Layer, Option, Ref } from "effect"
import { it } from "../support/effect.ts"
import {
  makeWorkers,
  notify,
  pause,
  quiet,
  told,
  unwritable,
  whileDispatching,
  whileTimePasses,
  withStore
} from "./resident.ts"
import { attemptsOf, queue, taskOf, world } from "./world.ts"

/** The transactions by their names, as they begin; those of claims and of ends alone. */
const watched = (names: Ref.Ref<ReadonlyArray<string>>) =>
  withStore(({ transact }) => ({
    transact: (name, program) =>
      Effect.zipRight(
        Ref.update(names, (all) => (/claim|finish|handOver/.test(name) ? [...all, name] : all)),
        transact(name, program)
      )
  }))

it.effect("an attempt's end and the claim of the next task are one transaction", () =>
  Effect.gen(function* () {
    const workers = yield* makeWorkers
    const names = yield* Ref.make<ReadonlyArray<string>>([])
    const program = whileDispatching(() =>
      Effect.gen(function* () {
        const ids = [yield* queue({ priority: 1 }), yield* queue({ priority: 9 }), yield* queue()]
        const order: Array<string> = []
        for (const _ of ids) {
          const { taskId } = yield* workers.begun
          order.push(taskId)
          yield* workers.end(taskId)
        }
        yield* whileTimePasses(yield* Effect.fork(told("dispatch_idle")))
        // The first may have been claimed before the others were there; what follows goes by priority.
        expect(order.slice(1)).toEqual(order[0] === ids[0] ? [ids[1]!, ids[2]!] : [ids[2]!, ids[0]!])
        for (const id of ids) {
          expect((yield* taskOf(id)).status).toBe("completed")
          expect(yield* attemptsOf(id)).toHaveLength(1)
        }
        const begun = yield* Ref.get(names)
        expect(begun.filter((name) => name === "HandOver.handOver")).toHaveLength(3)
        expect(begun).not.toContain("Finish.finish")
        // One begins the run of tasks; whoever ends last finds nothing, and the loop does not ask again to write.
        expect(begun.filter((name) => name === "Steps.claim")).toHaveLength(1)
      })
    ).pipe(watched(names))
    yield* Effect.provide(program, Layer.merge(world({ adapters: { local: workers.act } }), notify()))
  })
)

it.effect("an attempt has nothing of the one that handed over to it", () => {
  const own = FiberRef.unsafeMake(0)
  const seen: Array<number> = []
  const act = () =>
    Effect.gen(function* () {
      seen.push(yield* FiberRef.get(own))
      yield* FiberRef.update(own, (value) => value + 1)
      return { lastMessage: "done" }
    })
  return Effect.gen(function* () {
    yield* Effect.repeatN(queue(), 2)
    yield* whileDispatching(() => Effect.flatMap(Effect.fork(told("dispatch_idle")), whileTimePasses))
    expect(seen).toEqual([0, 0, 0])
  }).pipe(Effect.provide(Layer.merge(world({ adapters: { local: act } }), notify())))
})

for (const [what, broken] of [
  ["fails", unwritable],
  ["meets a fault", Effect.dieMessage("glass")]
] as const)
  it.effect(`an end whose claim ${what} is recorded without it, once, and the loop goes on`, () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      const isBroken = yield* Ref.make(false)
      const program = whileDispatching(() =>
        Effect.gen(function* () {
          const first = yield* queue()
          expect((yield* workers.begun).taskId).toBe(first)
          const second = yield* queue()
          yield* Ref.set(isBroken, true)
          yield* workers.end(first)
          yield* whileTimePasses(yield* Effect.fork(told("task_finished")))
          yield* Ref.set(isBroken, false)
          const { taskId } = yield* Effect.flatMap(Effect.fork(workers.begun), whileTimePasses)
          expect(taskId).toBe(second)
          yield* workers.end(second)
          yield* whileTimePasses(yield* Effect.fork(told("task_finished", 2)))
          for (const id of [first, second]) {
            expect((yield* taskOf(id)).status).toBe("completed")
            expect((yield* attemptsOf(id)).map(({ reason }) => Option.getOrNull(reason))).toEqual([
              "completed: done"
            ])
          }
        })
      ).pipe(
        withStore(({ tasks }) => ({
          tasks: {
            ...tasks,
            claim: (request) =>
              Effect.flatMap(Ref.get(isBroken), (so) => (so ? broken : tasks.claim(request)))
          }
        }))
      )
      yield* Effect.provide(program, Layer.merge(world({ adapters: { local: workers.act } }), notify()))
    })
  )

it.effect("what was paused meanwhile is not handed over to", () =>
  Effect.gen(function* () {
    const workers = yield* makeWorkers
    const program = whileDispatching(() =>
      Effect.gen(function* () {
        const first = yield* queue()
        yield* workers.begun
        const second = yield* queue()
        yield* pause("hands off")
        yield* workers.end(first)
        yield* whileTimePasses(yield* Effect.fork(told("dispatch_paused")))
        yield* quiet
        expect((yield* taskOf(first)).status).toBe("completed")
        expect(yield* taskOf(second)).toMatchObject({ status: "pending", attemptCount: 0 })
      })
    )
    yield* Effect.provide(program, Layer.merge(world({ adapters: { local: workers.act } }), notify()))
  })
)
