import { DateTime, Duration, Effect, Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Profile } from "../domain/Profile.ts"
import { now } from "../domain/Time.ts"
import { Verdict } from "../evidence/Verdict.ts"
import { create, type Parent, plan } from "../intake/FollowUps.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, ClaimedTask, Move } from "../store/Tasks.ts"
import { waitAfter } from "./Backoff.ts"
import { dispatcher, Runner } from "./Runner.ts"

/** What ran, as far as the attempt came. */
export interface Ran {
  readonly claimed: ClaimedTask
  readonly verdict: Verdict
  readonly end: Omit<AttemptEnd, "reason">
  readonly profile: Option.Option<Profile>
  readonly adapter: Option.Option<AdapterSettings>
}

const errorOf = (verdict: Verdict): string => `${verdict.reason}: ${verdict.detail}`

/** The store's move for a verdict; waits come from the back-off and from hints. */
const moveOf = (ran: Ran, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const { verdict } = ran
    const retry = Option.map(ran.adapter, (adapter) => adapter.retry)
    const wait = yield* waitAfter(ran.claimed.task.attemptCount, settings, Option.getOrUndefined(retry))
    return Verdict.$match(verdict, {
      Completed: ({ outcome }): Move => ({ _tag: "Complete", outcome }),
      Blocked: ({ outcome }): Move => ({
        _tag: "Block",
        outcome: Option.some(outcome),
        error: errorOf(verdict)
      }),
      PermanentFailure: ({ outcome }): Move => ({
        _tag: "FailForGood",
        outcome: Option.some(outcome),
        error: errorOf(verdict)
      }),
      Retry: ({ outcome }): Move => ({
        _tag: "RetryAt",
        at: DateTime.addDuration(at, wait),
        outcome: Option.some(outcome),
        error: errorOf(verdict)
      }),
      Snooze: ({ outcome, seconds }): Move => ({
        _tag: "SnoozeUntil",
        at: DateTime.addDuration(at, Duration.seconds(seconds)),
        outcome: Option.some(outcome),
        error: errorOf(verdict)
      }),
      Canceled: ({ detail }): Move => ({ _tag: "Cancel", reason: detail }),
      PutBack: (): Move => ({ _tag: "PutBack", counted: false, error: errorOf(verdict) })
    })
  })

/** Why a message is not put into the outbox; undefined when it is. */
const objection = (message: JsonObject, profile: Profile): string | undefined => {
  if (!profile.resultSchema.allowExternalMessages) return "the profile does not allow external messages"
  if (profile.toolPolicy.allow_external_post === false)
    return "the profile's tool policy forbids external posts"
  const sort = typeof message.type === "string" ? `allow_${message.type}` : ""
  return profile.toolPolicy[sort] === false ? `the profile's tool policy says ${sort}: false` : undefined
}

const putOut = (messages: ReadonlyArray<JsonObject>, parent: Parent, attemptId: AttemptId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { taskId } = parent.task
    for (const message of messages) {
      const reason = objection(message, parent.profile)
      if (reason === undefined) yield* store.outbox.add({ taskId, attemptId, message }, stamp)
      else
        yield* store.events.append(
          {
            type: "follow_up_refused",
            taskId: Option.some(taskId),
            attemptId: Option.some(attemptId),
            detail: { what: "external_message", reason, asked: message }
          },
          stamp
        )
    }
  })

/** The parent of what a completed outcome asks for; none when nothing ran. */
const parentOf = (ran: Ran): Option.Option<Parent> =>
  Option.all({ profile: ran.profile, adapter: ran.adapter }).pipe(
    Option.map(({ adapter, profile }) => ({
      task: ran.claimed.task,
      round: ran.claimed.round,
      profile,
      adapterId: adapter.id
    }))
  )

/** A hint of one attempt holds for all tasks of its adapter. */
const coolDown = (ran: Ran, move: Move, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (move._tag !== "SnoozeUntil" || Option.isNone(ran.adapter)) return
    const cooldown = {
      adapterId: ran.adapter.value.id,
      reason: Option.some(ran.verdict.detail),
      until: move.at
    }
    yield* store.gates.coolDown(cooldown, stamp)
  })

/**
 * Ends an attempt and moves its task, with all that follows from it, in one transaction. `Late` when the
 * attempt was no longer running: then nothing moved.
 */
export const finish = Effect.fn("Finish.finish")(function* (ran: Ran) {
  const store = yield* Store
  const runner = yield* Runner
  const stamp: Stamp = { at: yield* now, actor: dispatcher(runner.runnerId) }
  const move = yield* moveOf(ran, stamp.at)
  const parent = move._tag === "Complete" ? parentOf(ran) : Option.none<Parent>()
  const asked = move._tag === "Complete" ? move.outcome : { followUpTasks: [], externalMessages: [] }
  const planned = Option.isSome(parent) ? yield* plan(asked.followUpTasks, parent.value) : []
  const { attemptId } = ran.claimed.attempt
  const settled = yield* store.transact(
    "Finish.finish",
    Effect.gen(function* () {
      const end: AttemptEnd = { ...ran.end, reason: errorOf(ran.verdict) }
      const done = yield* store.tasks.settle({ attemptId, end, move, stamp })
      if (done._tag === "Late") return done
      yield* coolDown(ran, move, stamp)
      if (Option.isSome(parent)) {
        yield* create(planned, parent.value, attemptId, stamp)
        yield* putOut(asked.externalMessages, parent.value, attemptId, stamp)
      }
      return done
    })
  )
  yield* Effect.logInfo(`Attempt ended: ${errorOf(ran.verdict)}`)
  return settled
})
