import { Schema } from "effect"
import { Step } from "../../domain/Step.ts"

/** What the agent of an attempt did, in the order in which it was begun. */
export const StepList = Schema.Struct({ steps: Schema.Array(Step) }).annotations({ identifier: "StepList" })
