import { type Cause, Deferred, Effect, FiberMap, type Queue, type Scope } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"
import type { AttemptId } from "../domain/Ids.ts"
import type { Verdict } from "../evidence/Verdict.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { handOver } from "./HandOver.ts"
import { heldBackAfter, wasUnkept } from "./HoldBack.ts"
import { blockLost, releaseLost } from "./Lost.ts"
import { type Recording, untilWritable } from "./Recording.ts"
import { namesOf, runAttempt } from "./RunAttempt.ts"
import { tellSetAside } from "./Steps.ts"

/** The attempts that a resident dispatcher runs at once. */
export interface Slots {
  /** How many more may start now; fewer than are configured while the host has no room for these. */
  readonly free: Effect.Effect<number>
  readonly isFull: () => boolean
  readonly running: Effect.Effect<number>
  /** Runs a claimed task's attempt to its end beside the others; its slot is taken until then. */
  readonly run: (claimed: ClaimedTask) => Effect.Effect<void>
  /** For the scope, whoever ends claims the next task for its slot in the transaction of its end. */
  readonly handingOver: Effect.Effect<void, never, Scope.Scope>
  /** Waits until no attempt runs. */
  readonly empty: Effect.Effect<void>
  /** Tells every running attempt to stop; each ends its processes first. */
  readonly stopAll: (reason: StopReason) => Effect.Effect<void>
}

/**
 * Room for so many attempts; `ended` is told when one came to its end. With the scope's end those that still run
 * are interrupted.
 */
export const makeSlots = (most: number, ended: Queue.Enqueue<void>) =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<AttemptId, void, never>()
    // What is taken is counted here: a fiber leaves its map a moment after it has told its end.
    const stops = new Map<AttemptId, Deferred.Deferred<StopReason>>()
    // How many the host has room for: what found none is taken off, what ended otherwise makes it one more.
    let roomFor = most
    const learnt = (lacksRoom: boolean) =>
      Effect.sync(() => {
        roomFor = lacksRoom ? Math.max(1, stops.size - 1) : Math.min(most, roomFor + 1)
      })
    // Attempts are forked from here and not from each other: what a fiber has of its own, the next one would inherit.
    const fork = yield* FiberMap.runtime(fibers)<AttemptNeeds>()
    let isHandingOver = false
    const handingOver = Effect.acquireRelease(
      Effect.sync(() => {
        isHandingOver = true
      }),
      () =>
        Effect.sync(() => {
          isHandingOver = false
        })
    )

    const run = (claimed: ClaimedTask): Effect.Effect<void> =>
      Effect.map(Deferred.make<StopReason>(), (stop) => {
        const { attemptId } = claimed.attempt
        stops.set(attemptId, stop)
        const left = Effect.sync(() => {
          stops.delete(attemptId)
          if (stops.size < roomFor) ended.unsafeOffer(undefined)
        })
        const attempt = Effect.flatMap(toItsEnd(claimed, stop, recording), learnt)
        const whole = Effect.uninterruptible(Effect.ensuring(Effect.interruptible(attempt), left))
        // Not at once: whoever hands over has its own end to come to.
        fork(attemptId, whole, { immediate: false })
      })

    const recording: Recording = {
      end: handOver({
        isWanted: ({ verdict }) =>
          isHandingOver && stops.size <= roomFor && !lacksRoom(verdict) && !wasUnkept(verdict),
        take: (found) =>
          found._tag === "Claimed"
            ? run(found.claimed)
            : found._tag === "Quarantined"
              ? tellSetAside(found)
              : Effect.void
      }),
      patience: untilWritable
    }

    const running = Effect.sync(() => stops.size)
    return {
      free: Effect.map(running, (count) => roomFor - count),
      isFull: () => stops.size >= roomFor,
      running,
      run,
      handingOver,
      empty: FiberMap.awaitEmpty(fibers),
      stopAll: (reason) =>
        Effect.suspend(() =>
          Effect.forEach([...stops.values()], (stop) => Deferred.succeed(stop, reason), { discard: true })
        )
    } satisfies Slots
  })

type AttemptNeeds = Effect.Effect.Context<ReturnType<typeof toItsEnd>>

const lacksRoom = ({ reason }: Verdict): boolean => reason === "no_room"

const LEFT_OPEN = "The attempt stays open until the next dispatcher's sweep"

/** Whatever comes, in the end the task is not left running. Answers whether the host had no room for the attempt. */
const toItsEnd = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>, recording: Recording) =>
  runAttempt(claimed, stop, recording).pipe(
    Effect.tap(({ verdict }) => heldBackAfter(verdict)),
    Effect.map(({ verdict }) => lacksRoom(verdict)),
    Effect.catchAllCause((cause) => Effect.annotateLogs(notEnded(claimed, cause), namesOf(claimed)))
  )

const notEnded = (claimed: ClaimedTask, cause: Cause.Cause<StoreUnavailable>) =>
  Effect.failCause(cause).pipe(
    Effect.catchTag("StoreUnavailable", ({ isLost, reason }) =>
      isLost
        ? Effect.logError(`${LEFT_OPEN}: ${reason}`)
        : Effect.zipRight(
            Effect.logError(`The attempt could not go on: ${reason}`),
            Effect.retry(releaseLost(claimed), untilWritable)
          )
    ),
    Effect.catchAllCause((fault) =>
      Effect.zipRight(
        Effect.logError("The attempt met a fault of agent-runtime", fault),
        Effect.retry(blockLost(claimed.attempt), untilWritable)
      )
    ),
    Effect.catchAllCause((fault) => Effect.logError(LEFT_OPEN, fault)),
    Effect.as(false)
  )
