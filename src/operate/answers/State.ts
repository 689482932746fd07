import { Schema } from "effect"
import { Actor } from "../../domain/Actor.ts"
import { RunEvent } from "../../domain/RunEvent.ts"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

const pauseFields = { paused: Schema.Boolean, reason: nullable(Schema.String), updatedAt: nullable(Time) }

/** Whether dispatch is paused; `updated_at` is since when, or, after a pause, since when it goes on. */
export const PauseState = wireStruct(pauseFields).annotations({ identifier: "PauseState" })
export type PauseState = typeof PauseState.Type

/** The same, and by whom it was paused or resumed; nobody where it never was. */
export const PauseStory = wireStruct({ ...pauseFields, actor: Schema.optional(Actor) }).annotations({
  identifier: "PauseStory"
})
export type PauseStory = typeof PauseStory.Type

/** The same, and the pause that was in force before. */
export const PauseChange = wireStruct({
  ...pauseFields,
  before: Schema.optional(
    wireStruct({ reason: nullable(Schema.String), updatedAt: Time, actor: Actor }).annotations({
      identifier: "PauseBefore"
    })
  )
}).annotations({ identifier: "PauseChange" })
export type PauseChange = typeof PauseChange.Type

/** What `State` tells, for answers that tell more. */
export const stateFields = {
  runtimeName: Schema.String,
  runtimeState: Schema.Literal("idle", "running", "paused"),
  counts: wireStruct({
    queued: Schema.Int,
    running: Schema.Int,
    completed: Schema.Int,
    blocked: Schema.Int,
    retryableFailure: Schema.Int,
    permanentFailure: Schema.Int,
    operatorCanceled: Schema.Int
  }),
  dispatchPaused: PauseState,
  dispatcher: wireStruct({
    held: Schema.Boolean,
    runnerId: nullable(Schema.String),
    since: nullable(Time),
    drainingSince: Schema.optional(Time)
  }),
  lastEvent: nullable(RunEvent)
}

/**
 * The object of `GET /api/state`. `running` means that somebody runs something: what a dead dispatcher left is
 * counted as running, and told by `dispatcher.held` being false. `draining_since` is there while the dispatcher
 * claims nothing more and waits for what runs.
 */
export const State = wireStruct(stateFields).annotations({ identifier: "State" })
export type State = typeof State.Type

/** That the store answers, and in how many milliseconds. */
export const Heartbeat = wireStruct({ ok: Schema.Literal(true), latencyMs: Schema.Number }).annotations({
  identifier: "Heartbeat"
})

/** A part of the history. */
export const EventList = wireStruct({ events: Schema.Array(RunEvent) }).annotations({
  identifier: "EventList"
})
