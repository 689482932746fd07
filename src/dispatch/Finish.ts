import { DateTime, Duration, Effect, Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { type AttemptId, IdSource, TaskId } from "../domain/Ids.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Profile } from "../domain/Profile.ts"
import { traced } from "../domain/Traced.ts"
import { Verdict } from "../evidence/Verdict.ts"
import { create, type Parent, plan } from "../intake/FollowUps.ts"
import * as Messages from "../intake/Messages.ts"
import { taskEnded } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, CancelRequest, ClaimedTask, Move, Settled } from "../store/Tasks.ts"
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

/** A verdict in one line, as an attempt's `reason` tells it. */
export const errorOf = (verdict: Verdict): string => `${verdict.reason}: ${verdict.detail}`

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
      ...(reason === "adapter_busy" ? { waitsFor: "concurrency" } : {}),
      ...(reason === "interrupted" ? { waitsFor: "store" } : {}),
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
    return canceledBy(request.value)
  })

/** The verdict on an attempt whose end an operator asked for. */
export const canceledBy = ({ actor, reason }: CancelRequest) => {
  const why = Option.match(reason, { onNone: () => "", onSome: (text) => `: ${text}` })
  return Verdict.Canceled({ reason: "cancel", detail: `canceled by ${actor.name}${why}` })
}

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

/** What a completed outcome asks for, and who asks; none where it asks for nothing, as most do. */
const askedFor = (ran: Ran): Option.Option<Asked> => {
  if (ran.verdict._tag !== "Completed") return Option.none()
  const { outcome } = ran.verdict
  if (outcome.followUpTasks.length + outcome.externalMessages.length === 0) return Option.none()
  return Option.map(parentOf(ran), (parent) => ({ outcome, parent }))
}

interface Asked {
  readonly outcome: Outcome
  readonly parent: Parent
}

const planned = ({ outcome, parent }: Asked) =>
  Effect.gen(function* () {
    const tasks = yield* plan(outcome.followUpTasks, parent)
    return { parent, tasks, messages: yield* Messages.plan(outcome.externalMessages) }
  })

/** How long the task waits for its next attempt, where this one failed and gave no hint of its own. */
const waitOf = ({ adapter, claimed, verdict }: Ran) =>
  Effect.gen(function* () {
    if (verdict._tag !== "Retry") return Duration.zero
    const retry = Option.map(adapter, (settings) => settings.retry)
    return yield* waitAfter(claimed.task.attemptCount, yield* RuntimeConfig, retry)
  })

/**
 * The end of an attempt, to be made in one transaction: its task moves, with all that follows from it. `Late` when the
 * attempt was no longer running: then nothing moved. The verdict that it answers is the one that was recorded.
 */
export const readyToEnd = (ran: Ran) =>
  Effect.gen(function* () {
    const store = yield* Store
    const ids = yield* IdSource
    const { attemptId, taskId } = ran.claimed.attempt
    const wait = yield* waitOf(ran)
    const asked = askedFor(ran)
    const follows = Option.isSome(asked) ? Option.some(yield* planned(asked.value)) : Option.none()
    // Not before the times of what follows: it would not be due yet when it comes in.
    const stamp = yield* stampNow
    return Effect.gen(function* () {
      const verdict = yield* heeding(taskId, ran.verdict)
      const move = moveOf(verdict, stamp.at, wait)
      const end: AttemptEnd = { ...ran.end, reason: errorOf(verdict) }
      const settled = yield* store.tasks.settle({ attemptId, end, move, stamp })
      if (settled._tag === "Settled") {
        yield* coolDown(ran, move, stamp)
        if (move._tag === "Complete" && Option.isSome(follows)) {
          yield* create(follows.value.tasks, follows.value.parent, stamp)
          yield* Messages.putOut(follows.value.messages, follows.value.parent, stamp)
        }
        yield* ask(ran.claimed, verdict, stamp)
        if (Option.isSome(ran.claimed.task.workflowId))
          yield* taskEnded(taskId, TaskId.make(yield* ids.next), stamp)
      }
      return { taskId, attemptId, verdict, settled } satisfies Attempted
    })
  })

/** Tells the log how an attempt ended. */
export const tellEnd = ({ verdict }: Attempted) => Effect.logInfo(`Attempt ended: ${errorOf(verdict)}`)

/** Ends an attempt, see `readyToEnd`, in a transaction of its own. */
export const finish = traced("Finish.finish")(function* (ran: Ran) {
  const store = yield* Store
  const attempted = yield* store.transact("Finish.finish", yield* readyToEnd(ran))
  yield* tellEnd(attempted)
  return attempted
})
