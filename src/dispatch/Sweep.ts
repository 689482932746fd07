import { Effect, Option } from "effect"
import { LeftOvers } from "../adapter/LeftOvers.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { isUsedUp } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { unknownUsage } from "../domain/Usage.ts"
import type { Result } from "../evidence/Result.ts"
import { taskEnded } from "../intake/WorkflowStep.ts"
import type { OpenAttempt } from "../store/Attempts.ts"
import { onFault } from "../store/OneBadRow.ts"
import type { OpenRunner } from "../store/Runners.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, CancelRequest, Move, Settlement } from "../store/Tasks.ts"
import { canceledBy, errorOf } from "./Finish.ts"
import { type LeftEvidence, leaveEvidence } from "./LeaveEvidence.ts"
import type { Left } from "./LeaveWorktree.ts"
import { Lock, type LockUnusable, unseenRemedy } from "./Lock.ts"
import { blockLost } from "./Lost.ts"
import { Runner, stampNow } from "./Runner.ts"
import { sweepWorktree, sweepWorktrees } from "./SweepWorktrees.ts"
import { endUnattended } from "./Unattended.ts"

/**
 * Puts back what dead dispatchers left running; answers how many attempts that were. Only for a caller that
 * holds the lock: every other runner on it is dead then, but one whose lock file was removed and which still lives.
 */
export const sweep = traced("Sweep.sweep")(function* () {
  const { reclaimed } = yield* look
  yield* endUnattended
  yield* sweepWorktrees()
  return reclaimed
})

/** How soon a dispatcher whose attempts were left alone is looked at again. */
const BETWEEN_LOOKS = "5 seconds"

/** How soon tasks that have lost their attempt are looked for again. */
const BETWEEN_CHECKS = "30 seconds"

/**
 * Looks again as long as attempts are left alone: the dispatcher of one may die yet, and nobody else would see it.
 * After that for what a change of the records from outside leaves without an attempt.
 */
export const sweeping = Effect.gen(function* () {
  while ((yield* look).spared > 0) yield* Effect.sleep(BETWEEN_LOOKS)
  return yield* Effect.forever(Effect.zipRight(Effect.sleep(BETWEEN_CHECKS), endUnattended))
})

/** Ends the open attempts of dead dispatchers, and the records of those on this lock; how many attempts it left alone. */
const look = Effect.gen(function* () {
  const store = yield* Store
  const { lockPath } = yield* RuntimeConfig
  const { lives, runnerId } = yield* Runner
  const others = (yield* store.runners.open).filter((one) => one.runnerId !== runnerId)
  const living = yield* Effect.filter(others, lives)
  const attempts = yield* store.attempts.openOfOthers(runnerId)
  const abandoned = yield* Effect.filter(
    attempts.filter((attempt) => !living.some((one) => one.runnerId === attempt.runnerId)),
    (attempt) =>
      isAbandoned(attempt, Option.fromNullable(others.find((one) => one.runnerId === attempt.runnerId)))
  )
  const reclaimed = yield* Effect.filter(abandoned, reclaim)
  const dead = others.filter((one) => one.lockPath === lockPath && !living.includes(one))
  if (dead.length > 0)
    yield* store.runners.endDead(
      dead.map((one) => one.runnerId),
      yield* stampNow
    )
  return { reclaimed: reclaimed.length, spared: attempts.length - abandoned.length }
})

/**
 * Of a dispatcher whose process is not seen to live. One with another lock path may share the database from where it
 * cannot be seen: it is alive while it, and nobody else, holds that lock.
 */
const isAbandoned = (attempt: OpenAttempt, record: Option.Option<OpenRunner>) =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const { lockPath: ours } = yield* RuntimeConfig
    const path = Option.getOrElse(attempt.lockPath, () => ours)
    if (path === ours) return true
    const holder = yield* lock.holder(path)
    if (Option.isNone(holder)) return true
    return Option.exists(holder.value.runnerId, (id) => id !== attempt.runnerId)
  }).pipe(Effect.catchTag("LockUnusable", (unusable) => isEndedUnseen(attempt, record, unusable)))

/**
 * Where the lock of a dispatcher cannot be looked at, which proves nothing: whether its record was ended (by itself, or
 * by a restore, which no dispatcher outlives), its process is gone, or an operator wants the attempt to end, which
 * never has it run twice. Else it is left alone.
 */
const isEndedUnseen = (
  { attemptId, runnerId, taskId }: OpenAttempt,
  record: Option.Option<OpenRunner>,
  { path, reason }: LockUnusable
) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (Option.isNone(record) || (yield* (yield* Runner).isGone(record.value))) return true
    if (Option.isSome(yield* store.tasks.cancelRequested(taskId))) return true
    yield* Effect.logWarning(
      `Attempt ${attemptId} is left alone: whether its dispatcher ${runnerId} lives cannot be told from ${path} (${reason}); ${unseenRemedy(taskId)}`
    )
    return false
  })

/** Ends an attempt of a dead dispatcher; false when it was ended meanwhile, or its record is past that. */
const reclaim = (attempt: OpenAttempt) =>
  Effect.gen(function* () {
    const store = yield* Store
    const leftOvers = yield* LeftOvers
    const { attemptId, runnerId, taskId } = attempt
    // First its processes are gone, then anything may claim the task again.
    const survivors = yield* leftOvers.sweep({
      attemptId,
      pid: attempt.childPid,
      startTime: attempt.childStartTime
    })
    const worktree = yield* sweepWorktree(attemptId, survivors)
    const stamp = yield* stampNow
    const nextTaskId = TaskId.make(yield* (yield* IdSource).next)
    const settlement = settling(attempt, survivors, ended(survivors, worktree), stamp)
    const facts = { dead_runner_id: runnerId, survivors, ...worktree.detail }
    // A request to cancel that comes from here on is in the record alone.
    const left = yield* leaveEvidence(attempt, resultOf(yield* settlement, facts))
    return yield* store.transact(
      "Sweep.reclaim",
      Effect.gen(function* () {
        const found = yield* store.attempts.find(attemptId)
        if (!Option.exists(found, ({ status }) => status === "running")) return false
        const subject = { taskId: Option.some(taskId), attemptId: Option.some(attemptId) }
        yield* store.events.append({ type: "boot_sweep_reclaimed", ...subject, detail: facts }, stamp)
        const { end, ...moved } = yield* settlement
        const settled = yield* store.tasks.settle({ attemptId, ...moved, end: withLeft(end, left) })
        if (settled._tag === "Settled") yield* taskEnded(taskId, nextTaskId, stamp)
        return true
      })
    )
  }).pipe(
    onFault((fault) =>
      Effect.zipRight(
        Effect.logError(`The end of attempt ${attempt.attemptId} of a dead dispatcher met a fault`, fault),
        blockLost(attempt)
      )
    ),
    onFault((fault) =>
      Effect.logError(`Attempt ${attempt.attemptId} of a dead dispatcher cannot be ended`, fault).pipe(
        Effect.as(false)
      )
    )
  )

/** How the attempt ends, and what becomes of its task. */
const settling = (attempt: OpenAttempt, survivors: ReadonlyArray<string>, end: AttemptEnd, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    // What an operator asked for is told as where a dispatcher did it, and as theirs.
    const asked = survivors.length > 0 ? Option.none() : yield* store.tasks.cancelRequested(attempt.taskId)
    if (Option.isSome(asked)) return canceled(asked.value, end, stamp)
    return { end, move: yield* moveOf(attempt, survivors), stamp }
  })

/** The end as `result.json` tells it. */
const resultOf = ({ end, move }: Omit<Settlement, "attemptId">, facts: JsonObject): Result => {
  const told = "error" in move ? move.error : end.reason
  const at = told.indexOf(": ")
  const verdict = move._tag === "Cancel" ? "Canceled" : move._tag === "Block" ? "Blocked" : "PutBack"
  return { ...end, verdict, reason: told.slice(0, at), detail: told.slice(at + 2), facts }
}

const withLeft = (end: AttemptEnd, { absent, isWritten }: LeftEvidence): AttemptEnd => {
  const dead = "the dispatcher that ran the attempt died"
  const issues = [
    ...(isWritten ? [`result.json was written by the sweep: ${dead}`] : []),
    ...(absent.length > 0 ? [`not written before ${dead}: ${absent.join(", ")}`] : [])
  ]
  return { ...end, absent, issues: [...end.issues, ...issues] }
}

const canceled = (request: CancelRequest, end: AttemptEnd, { at }: Stamp): Omit<Settlement, "attemptId"> => {
  const verdict = canceledBy(request)
  return {
    end: {
      ...end,
      exitStatus: Option.some("canceled"),
      retryClass: Option.some("none"),
      reason: errorOf(verdict)
    },
    move: { _tag: "Cancel", reason: verdict.detail },
    stamp: { at, actor: request.actor }
  }
}

/** What becomes of the task of an attempt whose dispatcher died. */
const moveOf = (attempt: OpenAttempt, survivors: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const found = yield* store.tasks.find(attempt.taskId)
    const blocked = (error: string): Move => ({ _tag: "Block", outcome: Option.none(), error })
    if (survivors.length > 0) return blocked(`processes_left: ${survivors.join(", ")}`)
    if (Option.exists(found, ({ task }) => isUsedUp(task)))
      return blocked("attempts_used_up: the dispatcher died during the last attempt")
    return {
      _tag: "PutBack",
      counted: true,
      error: "boot_sweep: the dispatcher died during the attempt"
    } satisfies Move
  })

const ended = (survivors: ReadonlyArray<string>, worktree: Left): AttemptEnd => ({
  exitStatus: Option.some("error"),
  retryClass: Option.some("retryable"),
  reason: "boot_sweep",
  issues: [...survivors.map((process) => `still running after SIGKILL: ${process}`), ...worktree.issues],
  detail: worktree.detail,
  usage: unknownUsage,
  cutOff: true
})
