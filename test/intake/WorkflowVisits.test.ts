import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { answer, says, taskOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import {
  blocked,
  cancelTask,
  inState,
  inTurn,
  lastTaskOf,
  openWorkflow,
  placeOf,
  retryTask,
  rounds,
  runDry,
  sql,
  storyOf,
  tasksOf,
  transition
} from "./workflowWorld.ts"

const own = { workflows: new Map([[rounds.name, rounds]]) }

describe("a task of a state that its workflow has left", () => {
  it.effect("runs, when it is retried, without moving the workflow", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      const first = yield* lastTaskOf(id)
      yield* runOnce
      yield* retryTask(first)
      const waiting = yield* lastTaskOf(id)
      yield* cancelTask(waiting)
      expect((yield* placeOf(id))[0]).toBe("stalled")
      expect(yield* runDry()).toBe(1)
      expect((yield* taskOf(first.taskId)).status).toBe("completed")
      expect(yield* placeOf(id)).toEqual(["stalled", "draft-wallet-checklist", "task_canceled"])
      expect(yield* tasksOf(id)).toHaveLength(2)
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )

  it.effect("keeps a later visit waiting until it has ended, and never moves it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      const first = yield* lastTaskOf(id)
      yield* runOnce
      // Retried while the workflow is in `tidy`, which has the higher priority and leads back.
      yield* retryTask(first)
      yield* sql("UPDATE tasks SET priority = 9 WHERE kind = 'tidy'")
      yield* runOnce
      expect(yield* placeOf(id)).toEqual(["active", "look", null])
      expect(yield* storyOf(id)).toEqual(["look pending", "tidy completed"])
      yield* runOnce
      expect(yield* placeOf(id)).toEqual(["active", "look", null])
      expect(yield* storyOf(id)).toEqual(["look completed", "tidy completed", "look pending"])
      yield* runDry()
      expect(yield* placeOf(id)).toEqual(["completed", "end", null])
    }).pipe(
      Effect.provide(
        world({
          settings: own,
          adapters: {
            local: inState({ tidy: inTurn([{ workflow_signal: "back" }, { workflow_signal: "over" }]) })
          }
        })
      )
    )
  )

  it.effect("stalls a later visit while it is blocked, and lets it go on when it is canceled", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      const first = yield* lastTaskOf(id)
      yield* runOnce
      yield* retryTask(first)
      yield* runOnce
      expect((yield* taskOf(first.taskId)).status).toBe("blocked")
      yield* runOnce
      const [status, state, reason] = yield* placeOf(id)
      expect([status, state]).toEqual(["stalled", "look"])
      expect(reason).toContain(first.taskId)
      yield* cancelTask(yield* taskOf(first.taskId))
      expect(yield* placeOf(id)).toEqual(["active", "look", null])
      expect(yield* storyOf(id)).toEqual(["look operator_canceled", "tidy completed", "look pending"])
    }).pipe(
      Effect.provide(
        world({
          settings: own,
          adapters: {
            local: inState({ look: inTurn([{}, blocked()]), tidy: inTurn([{ workflow_signal: "back" }]) })
          }
        })
      )
    )
  )

  it.effect(
    "that is running ends canceled, and its workflow, back in the state, gets a task of its own",
    () =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        let runs = 0
        const adapter = inState({
          look: (job) =>
            runs++ === 0
              ? Deferred.succeed(began, undefined).pipe(
                  Effect.zipRight(Deferred.await(job.stop)),
                  Effect.as({ exitStatus: "canceled" as const })
                )
              : Effect.succeed(answer())
        })
        const story = Effect.gen(function* () {
          const id = yield* openWorkflow("rounds")
          const cycle = yield* Effect.fork(runOnce)
          yield* Deferred.await(began)
          // Into the same state, which waits until the task that runs has ended.
          expect(yield* transition(id, "look")).toMatchObject({ _tag: "Moved" })
          expect(yield* storyOf(id)).toEqual(["look running"])
          yield* TestClock.adjust("1 seconds")
          yield* Fiber.join(cycle)
          expect(yield* storyOf(id)).toEqual(["look operator_canceled", "look pending"])
          expect(yield* placeOf(id)).toEqual(["active", "look", null])
        })
        yield* Effect.provide(story, world({ settings: own, adapters: { local: adapter } }))
      })
  )
})
