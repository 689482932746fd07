import { expect } from "bun:test"
import { DateTime, Effect, Layer, Option, Ref } from "effect"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"
import {
  makeWorkers,
  notify,
  told,
  unwritable,
  whileDispatching,
  whileTimePasses,
  withStore
} from "./resident.ts"
import { attemptsOf, queue, says, taskOf, typesOf, world } from "./world.ts"

const idleAgain = (count: number) =>
  Effect.flatMap(Effect.fork(told("dispatch_idle", count)), whileTimePasses)

it.effect("what an attempt came to is kept while the store cannot be written, and recorded when it can", () =>
  Effect.gen(function* () {
    const workers = yield* makeWorkers
    const isFull = yield* Ref.make(true)
    const tries = yield* Ref.make(0)
    const program = whileDispatching(() =>
      Effect.gen(function* () {
        const id = yield* queue()
        yield* workers.begun
        yield* workers.end(id, { lastMessage: "forty-two" })
        const some = Effect.repeat(Effect.yieldNow(), {
          until: () => Effect.map(Ref.get(tries), (n) => n > 2)
        })
        yield* whileTimePasses(yield* Effect.fork(some))
        expect((yield* taskOf(id)).status).toBe("running")
        yield* Ref.set(isFull, false)
        yield* idleAgain(1)
        const task = yield* taskOf(id)
        expect(task.status).toBe("completed")
        expect(Option.getOrThrow(task.outcome).operatorSummary).toBe("forty-two")
        expect(yield* attemptsOf(id)).toHaveLength(1)
      })
    ).pipe(
      withStore(({ tasks }) => ({
        tasks: {
          ...tasks,
          settle: (settlement) =>
            Effect.gen(function* () {
              yield* Ref.update(tries, (count) => count + 1)
              return yield* (yield* Ref.get(isFull)) ? unwritable : tasks.settle(settlement)
            })
        }
      }))
    )
    yield* Effect.provide(program, Layer.merge(world({ adapters: { local: workers.act } }), notify()))
  })
)

it.effect(
  "an attempt that could not be prepared for want of a store is put off uncounted and made again",
  () =>
    Effect.gen(function* () {
      const failures = yield* Ref.make(1)
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          const id = yield* queue()
          yield* idleAgain(3)
          expect(yield* taskOf(id)).toMatchObject({ status: "completed", attemptCount: 1 })
          expect(yield* typesOf(id)).toContain("task_retry_scheduled")
          expect(yield* typesOf(id)).not.toContain("dispatch_drained")
          expect((yield* attemptsOf(id)).map(({ reason }) => Option.getOrNull(reason))).toEqual([
            expect.stringContaining("interrupted: "),
            "completed: hello"
          ])
        })
      ).pipe(
        withStore(({ attempts }) => ({
          attempts: {
            ...attempts,
            started: (...given) =>
              Effect.gen(function* () {
                const left = yield* Ref.getAndUpdate(failures, (count) => count - 1)
                return yield* left > 0 ? unwritable : attempts.started(...given)
              })
          }
        }))
      )
    }).pipe(Effect.provide(Layer.merge(world({ adapters: { local: says("hello") } }), notify())))
)

it.effect(
  "an end that the store would refuse each time ends the task by that fault, and nothing runs on",
  () =>
    Effect.gen(function* () {
      const tries = yield* Ref.make(0)
      const refused = new StoreUnavailable({
        path: "",
        reason: "cannot store REAL value in INTEGER column",
        remedy: "",
        isFault: true
      })
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          const id = yield* queue()
          const other = yield* queue()
          yield* idleAgain(2)
          const task = yield* taskOf(id)
          expect(task.status).toBe("blocked")
          expect(Option.getOrThrow(task.lastError)).toBe(
            "internal_fault: agent-runtime met a fault of its own: cannot store REAL value in INTEGER column"
          )
          expect(yield* attemptsOf(id)).toHaveLength(1)
          expect((yield* taskOf(other)).status).toBe("completed")
          // With the next claim and by itself, but not again; the third is the other task's.
          expect(yield* Ref.get(tries)).toBe(3)
        })
      ).pipe(
        withStore(({ tasks }) => ({
          tasks: {
            ...tasks,
            settle: (settlement) =>
              Effect.flatMap(
                Ref.updateAndGet(tries, (count) => (settlement.move._tag === "Complete" ? count + 1 : count)),
                (count) =>
                  settlement.move._tag === "Complete" && count <= 2 ? refused : tasks.settle(settlement)
              )
          }
        }))
      )
    }).pipe(Effect.provide(Layer.merge(world({ adapters: { local: says("hello") } }), notify())))
)

it.effect(
  "a fault in what follows from an end blocks the task instead of leaving it running; others go on",
  () =>
    Effect.gen(function* () {
      const first = yield* queue()
      yield* whileDispatching(() =>
        Effect.gen(function* () {
          yield* told("dispatch_idle")
          const other = yield* queue()
          yield* idleAgain(2)
          const task = yield* taskOf(first)
          expect(task.status).toBe("blocked")
          expect(Option.getOrThrow(task.lastError)).toContain("internal_fault")
          expect(DateTime.isDateTime(Option.getOrThrow((yield* attemptsOf(first))[0]!.endedAt))).toBe(true)
          expect((yield* taskOf(other)).status).toBe("completed")
        })
      ).pipe(
        withStore(({ tasks }) => ({
          tasks: {
            ...tasks,
            cancelRequested: (id) => (id === first ? Effect.dieMessage("glass") : tasks.cancelRequested(id))
          }
        }))
      )
    }).pipe(Effect.provide(Layer.merge(world({ adapters: { local: says("hello") } }), notify())))
)
