import { Deferred, Effect, FiberMap, type Queue, Schedule } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"
import type { AttemptId } from "../domain/Ids.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { blockLost, releaseLost } from "./Lost.ts"
import { runAttempt } from "./RunAttempt.ts"

/** The attempts that a resident dispatcher runs at once. */
export interface Slots {
  /** How many more may start now. */
  readonly free: Effect.Effect<number>
  readonly isFull: () => boolean
  readonly running: Effect.Effect<number>
  /** Runs a claimed task's attempt to its end beside the others; its slot is taken until then. */
  readonly run: (claimed: ClaimedTask) => Effect.Effect<void>
  /** Waits until no attempt runs. */
  readonly empty: Effect.Effect<void>
  /** Tells every running attempt to stop; each ends its processes first. */
  readonly stopAll: (reason: StopReason) => Effect.Effect<void>
}

/** A store that cannot be written now may be writable later: an attempt's end is not given up for that. */
const untilWritable = Schedule.exponential("200 millis", 2).pipe(
  Schedule.either(Schedule.spaced("10 seconds"))
)

/**
 * Room for so many attempts; `ended` is told when one came to its end. With the scope's end those that still run
 * are interrupted.
 */
export const makeSlots = (most: number, ended: Queue.Enqueue<void>) =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<AttemptId, void, never>()
    // What is taken is counted here: a fiber leaves its map a moment after it has told its end.
    const stops = new Map<AttemptId, Deferred.Deferred<StopReason>>()
    const context = yield* Effect.context<AttemptNeeds>()

    const run = (claimed: ClaimedTask) =>
      Effect.gen(function* () {
        const { attemptId } = claimed.attempt
        const stop = yield* Deferred.make<StopReason>()
        stops.set(attemptId, stop)
        const left = Effect.sync(() => {
          stops.delete(attemptId)
          ended.unsafeOffer(undefined)
        })
        const attempt = Effect.provide(toItsEnd(claimed, stop), context)
        yield* FiberMap.run(fibers, attemptId, Effect.ensuring(Effect.interruptible(attempt), left))
      })

    const running = Effect.sync(() => stops.size)
    return {
      free: Effect.map(running, (count) => most - count),
      isFull: () => stops.size >= most,
      running,
      run,
      empty: FiberMap.awaitEmpty(fibers),
      stopAll: (reason) =>
        Effect.suspend(() =>
          Effect.forEach([...stops.values()], (stop) => Deferred.succeed(stop, reason), { discard: true })
        )
    } satisfies Slots
  })

type AttemptNeeds = Effect.Effect.Context<ReturnType<typeof toItsEnd>>

/** Whatever comes, in the end the task is not left running. */
const toItsEnd = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>) =>
  runAttempt(claimed, stop, untilWritable).pipe(
    Effect.asVoid,
    Effect.catchTag("StoreUnavailable", ({ reason }) =>
      Effect.zipRight(
        Effect.logError(`The attempt could not go on: ${reason}`),
        Effect.retry(releaseLost(claimed), untilWritable)
      )
    ),
    Effect.catchAllCause((cause) =>
      Effect.zipRight(
        Effect.logError("The attempt met a fault of agent-runtime", cause),
        Effect.retry(blockLost(claimed), untilWritable)
      )
    ),
    Effect.catchAllCause((cause) =>
      Effect.logError("The attempt stays open until the next dispatcher's sweep", cause)
    ),
    Effect.annotateLogs({ task_id: claimed.task.taskId, attempt_id: claimed.attempt.attemptId })
  )
