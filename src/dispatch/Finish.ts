import { DateTime, Duration, Effect, Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { type AttemptId, IdSource, QuestionId, TaskId } from "../domain/Ids.ts"
import type { Profile } from "../domain/Profile.ts"
import { traced } from "../domain/Traced.ts"
import { Verdict } from "../evidence/Verdict.ts"
import { create, type Parent, plan } from "../intake/FollowUps.ts"
import * as Messages from "../intake/Messages.ts"
import { taskEnded } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, ClaimedTask, Move, Settled } from "../store/Tasks.ts"
import { ask } from "./Asking.ts"
import { waitAfter } from "./Backoff.ts"
import { stampNow } from "./Runner.ts"

/** What ran, as far as the attempt came. */
export interface Ran {
  readonly claimed: ClaimedTask
  readonly verdict: Verdict
  readonly end: Omit<AttemptEnd, "reason">
  readonly profile: Option.Option<Profile>
  readonly adapter: Option.Option<AdapterSettings>
}

/** The end of one attempt. */
export interface Attempted {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
  readonly verdict: Verdict
  readonly settled: Settled
}

const errorOf = (verdict: Verdict): string => `${verdict.reason}: ${verdict.detail}`

/** The store's move for a verdict; waits come from the back-off and from hints. */
const moveOf = (verdict: Verdict, at: DateTime.Utc, wait: Duration.Duration): Move => {
  const error = errorOf(verdict)
  return Verdict.$match(verdict, {
    Completed: ({ outcome }): Move => ({ _tag: "Complete", outcome }),
    Blocked: ({ outcome }): Move => ({ _tag: "Block", outcome: Option.some(outcome), error }),
    PermanentFailure: ({ outcome }): Move => ({ _tag: "FailForGood", outcome: Option.some(outcome), error }),
    Retry: ({ outcome, seconds }): Move => ({
      _tag: "RetryAt",
      at: DateTime.addDuration(at, Option.match(seconds, { onNone: () => wait, onSome: Duration.seconds })),
      outcome: Option.some(outcome),
      error
    }),
    Snooze: ({ outcome, reason, seconds }): Move => ({
      _tag: "SnoozeUntil",
      ...(reason === "workspace_in_use" ? { waitsFor: "workspace" } : {}),
      at: DateTime.addDuration(at, Duration.seconds(seconds)),
      outcome: Option.some(outcome),
      error
    }),
    Canceled: ({ detail }): Move => ({ _tag: "Cancel", reason: detail }),
    PutBack: (): Move => ({ _tag: "PutBack", counted: false, error })
  })
}

/**
 * The verdict in the light of an operator's request to cancel, which holds whatever the attempt came to: a
 * task that was asked to end must not run again. Only processes that are left come first.
 */
const heeding = (taskId: TaskId, verdict: Verdict) =>
  Effect.gen(function* () {
    const store = yield* Store
    const request = yield* store.tasks.cancelRequested(taskId)
    if (Option.isNone(request) || verdict.reason === "processes_left") return verdict
    const { actor, reason } = request.value
    const why = Option.match(reason, { onNone: () => "", onSome: (text) => `: ${text}` })
    return Verdict.Canceled({ reason: "cancel", detail: `canceled by ${actor.name}${why}` })
  })

/** The parent of what a completed outcome asks for; none when nothing ran. */
const parentOf = (ran: Ran): Option.Option<Parent> =>
  Option.all({ profile: ran.profile, adapter: ran.adapter }).pipe(
    Option.map(({ adapter, profile }) => ({
      task: ran.claimed.task,
      round: ran.claimed.round,
      attemptId: ran.claimed.attempt.attemptId,
      profile,
      adapterId: adapter.id
    }))
  )

/** A hint of one attempt holds for all tasks of its adapter. */
const coolDown = (ran: Ran, move: Move, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    // The host's lack of room is no matter of the adapter.
    if (ran.verdict.reason === "no_room") return
    const isHint =
      move._tag === "SnoozeUntil" ||
      (move._tag === "RetryAt" && ran.verdict._tag === "Retry" && Option.isSome(ran.verdict.seconds))
    if (!isHint || Option.isNone(ran.adapter)) return
    const cooldown = {
      adapterId: ran.adapter.value.id,
      reason: Option.some(ran.verdict.detail),
      until: move.at
    }
    const { attemptId, taskId } = ran.claimed.attempt
    yield* store.gates.coolDown(cooldown, Option.some({ attemptId, taskId }), stamp)
  })

/**
 * Ends an attempt and moves its task, with all that follows from it, in one transaction. `Late` when the
 * attempt was no longer running: then nothing moved. The verdict that it answers is the one that was recorded.
 */
export const finish = traced("Finish.finish")(function* (ran: Ran) {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const ids = yield* IdSource
  const stamp = yield* stampNow
  const { attemptId, taskId } = ran.claimed.attempt
  const retry = Option.map(ran.adapter, (adapter) => adapter.retry)
  const wait = yield* waitAfter(ran.claimed.task.attemptCount, settings, retry)
  const completed = ran.verdict._tag === "Completed" ? Option.some(ran.verdict.outcome) : Option.none()
  const asking = Option.all({ outcome: completed, parent: parentOf(ran) })
  const planned = Option.isSome(asking)
    ? yield* plan(asking.value.outcome.followUpTasks, asking.value.parent)
    : []
  const messages = yield* Messages.plan(
    Option.match(completed, { onNone: () => [], onSome: (outcome) => outcome.externalMessages })
  )
  const nextTaskId = TaskId.make(yield* ids.next)
  const questionId = QuestionId.make(yield* ids.next)
  const attempted = yield* store.transact(
    "Finish.finish",
    Effect.gen(function* () {
      const verdict = yield* heeding(taskId, ran.verdict)
      const move = moveOf(verdict, stamp.at, wait)
      const end: AttemptEnd = { ...ran.end, reason: errorOf(verdict) }
      const settled = yield* store.tasks.settle({ attemptId, end, move, stamp })
      if (settled._tag === "Settled") {
        yield* coolDown(ran, move, stamp)
        if (move._tag === "Complete" && Option.isSome(asking)) {
          yield* create(planned, asking.value.parent, stamp)
          yield* Messages.putOut(messages, asking.value.parent, stamp)
        }
        yield* ask(ran.claimed, verdict, questionId, stamp)
        if (Option.isSome(ran.claimed.task.workflowId)) yield* taskEnded(taskId, nextTaskId, stamp)
      }
      return { taskId, attemptId, verdict, settled } satisfies Attempted
    })
  )
  yield* Effect.logInfo(`Attempt ended: ${errorOf(attempted.verdict)}`)
  return attempted
})
