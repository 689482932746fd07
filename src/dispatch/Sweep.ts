import { Effect, Option } from "effect"
import { LeftOvers } from "../adapter/LeftOvers.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { now } from "../domain/Time.ts"
import { unknownUsage } from "../domain/Usage.ts"
import type { OpenAttempt } from "../store/Attempts.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, Move } from "../store/Tasks.ts"
import { Lock } from "./Lock.ts"
import { dispatcher, Runner } from "./Runner.ts"

const ended = (survivors: ReadonlyArray<string>): AttemptEnd => ({
  exitStatus: Option.some("error"),
  retryClass: Option.some("retryable"),
  reason: "boot_sweep",
  issues: survivors.map((process) => `still running after SIGKILL: ${process}`),
  usage: unknownUsage,
  resultPath: Option.none()
})

/** What becomes of the task of an attempt whose dispatcher died. */
const moveOf = (attempt: OpenAttempt, survivors: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const requested = yield* store.tasks.cancelRequested(attempt.taskId)
    const found = yield* store.tasks.find(attempt.taskId)
    const blocked = (error: string): Move => ({ _tag: "Block", outcome: Option.none(), error })
    if (survivors.length > 0) return blocked(`processes_left: ${survivors.join(", ")}`)
    if (Option.isSome(requested))
      return {
        _tag: "Cancel",
        reason: Option.getOrElse(requested.value.reason, () => "canceled by an operator")
      } satisfies Move
    const usedUp = Option.exists(found, ({ task }) => task.attemptCount >= task.maxAttempts)
    if (usedUp) return blocked("attempts_used_up: the dispatcher died during the last attempt")
    return {
      _tag: "PutBack",
      counted: true,
      error: "boot_sweep: the dispatcher died during the attempt"
    } satisfies Move
  })

const reclaim = (attempt: OpenAttempt, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const leftOvers = yield* LeftOvers
    // First its processes are gone, then anything may claim the task again.
    const survivors = yield* leftOvers.sweep({
      attemptId: attempt.attemptId,
      pid: attempt.childPid,
      startTime: attempt.childStartTime
    })
    const move = yield* moveOf(attempt, survivors)
    yield* store.transact(
      "Sweep.reclaim",
      Effect.gen(function* () {
        yield* store.events.append(
          {
            type: "boot_sweep_reclaimed",
            taskId: Option.some(attempt.taskId),
            attemptId: Option.some(attempt.attemptId),
            detail: { dead_runner_id: attempt.runnerId, survivors }
          },
          stamp
        )
        yield* store.tasks.settle({ attemptId: attempt.attemptId, end: ended(survivors), move, stamp })
      })
    )
  })

// A dispatcher with another lock path may share the database: it is dead when its lock is free.
const isDead = (attempt: OpenAttempt, ourLock: string) =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const path = Option.getOrElse(attempt.lockPath, () => ourLock)
    return path === ourLock || Option.isNone(yield* lock.holder(path))
  })

/**
 * Puts back what dead dispatchers left running; answers how many attempts that were. Only for a caller that
 * holds the lock: every other runner on it is dead then.
 */
export const sweep = Effect.fn("Sweep.sweep")(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const runner = yield* Runner
  const stamp: Stamp = { at: yield* now, actor: dispatcher(runner.runnerId) }
  const others = yield* store.attempts.openOfOthers(runner.runnerId)
  const abandoned = yield* Effect.filter(others, (attempt) => isDead(attempt, settings.lockPath))
  yield* Effect.forEach(abandoned, (attempt) => reclaim(attempt, stamp), { discard: true })
  yield* store.runners.endOthers(runner.runnerId, settings.lockPath, stamp)
  return abandoned.length
})
