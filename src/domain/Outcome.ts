import { Schema } from "effect"
import { JsonObject } from "./Json.ts"
import { Time } from "./Time.ts"
import { whenUsed, wireStruct } from "./Wire.ts"

// Models like to write null for what they leave out, and strict schemas make them.
const list = <A, I>(item: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(item), { default: () => [], nullable: true })
const absent = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { nullable: true })

/**
 * What an attempt asks its operator; the answer stands in the next attempt's prompt. Blank texts decode, for a model
 * that must fill every key writes them: `evidence/Question` leaves them out, and the work is not lost for them.
 */
export const Question = whenUsed(() =>
  wireStruct({
    text: Schema.String,
    choices: list(Schema.String),
    expiresAt: absent(Time),
    default: absent(Schema.String)
  })
)
export type Question = typeof Question.Type

export const OutcomeStatus = Schema.Literal("completed", "retryable_failure", "permanent_failure", "blocked")
export type OutcomeStatus = typeof OutcomeStatus.Type

export const MachineStatus = Schema.Literal("ok", "needs_retry", "blocked", "failed")
export type MachineStatus = typeof MachineStatus.Type

/**
 * The canonical result of a task. The decoder, the JSON Schema that is handed to models and the prompt's
 * response contract all come from this one definition.
 */
export const Outcome = whenUsed(() =>
  wireStruct({
    status: OutcomeStatus.annotations({ description: "how the work ended" }),
    operatorSummary: Schema.String.annotations({
      description: "what an operator should know, in a few sentences"
    }),
    machineStatus: MachineStatus.annotations({
      description: "ok only when the work is done and can be proved"
    }),
    fileChanges: list(
      Schema.String.annotations({ description: "created: | modified: | renamed: | deleted: and a path" })
    ),
    artifactPaths: list(Schema.String.annotations({ description: "a file below the artifact root" })),
    followUpTasks: list(JsonObject),
    externalMessages: list(JsonObject),
    workflowSignal: absent(Schema.String),
    // What it is for stands on the key: what describes the value tells what another value should have been.
    retryAfterSeconds: absent(
      Schema.Number.pipe(Schema.finite(), Schema.nonNegative()).annotations({
        description: "a number of seconds, at least 0"
      })
    ).annotations({
      description: "only where a rate limit was hit: the task is tried again after so long"
    }),
    question: absent(Question)
  })
)
export type Outcome = typeof Outcome.Type
