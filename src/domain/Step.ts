import { Schema } from "effect"
import { Time } from "./Time.ts"
import { nullable, wireStruct } from "./Wire.ts"

/** One thing that an agent did, as operators see it: the tool, what it was used on, and whether it worked. */
export const Step = wireStruct({
  at: Time,
  tool: Schema.String,
  /** A command, a path, an address: one line. */
  target: Schema.String,
  /** None while it runs, and for one whose end was never told. */
  ok: nullable(Schema.Boolean)
})
export type Step = typeof Step.Type

/**
 * A line of `steps.jsonl`, written as the agent works: a step begins with what it is, and ends under the same
 * id. Both marks of a step that is told at once may be one line.
 */
export const StepMark = wireStruct({
  id: Schema.String,
  at: Time,
  tool: Schema.optional(Schema.String),
  target: Schema.optional(Schema.String),
  ok: Schema.optional(Schema.Boolean)
})
export type StepMark = typeof StepMark.Type
