import { Schema } from "effect"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

export const WaitingReason = Schema.Literal(
  "not_due",
  "paused",
  "cooldown",
  "probe",
  "concurrency",
  "priority",
  "workspace",
  "budget",
  "answer",
  "no_dispatcher",
  "operator"
)
export type WaitingReason = typeof WaitingReason.Type

/** Why a task is not running, in a word and a sentence, and until when where that is known. */
export const Waiting = wireStruct({
  reason: WaitingReason,
  detail: Schema.String,
  until: nullable(Time)
}).annotations({ identifier: "Waiting" })
export type Waiting = typeof Waiting.Type
