import { Option, Schema } from "effect"
import { JsonObject } from "./Json.ts"
import { ConfiguredId, text } from "./Task.ts"
import { Time } from "./Time.ts"

/** Stands in `advance_on` for the signal that the outcome itself carries (`workflow_signal`). */
export const OUTCOME_SIGNAL = "$signal"

/** Fresh rounds that a blocked or failed task of a state gets where the template names no number. */
export const DEFAULT_RETRY_LIMIT = 2

const Name = text(100, "")
const Kind = text(200, "")
const key = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

/** A text of an intent, which must be one where it holds no reference, or the first of several. */
const texts = <A>(field: Schema.Schema<A, string>, description: string) => {
  const isFit = Schema.decodeUnknownOption(field)
  return Schema.Union(
    Schema.String.pipe(Schema.filter((value) => value.includes("{{") || Option.isSome(isFit(value)))),
    Schema.Struct({ $first: Schema.Array(Schema.Unknown) })
  ).annotations({ description: `${description}, with references to the context, or { "$first": [...] }` })
}

const Text = texts(text(100_000, ""), "text of 1 to 100,000 characters")
const Id = texts(ConfiguredId, "text of 1 to 200 characters")

/** A number, or a text that is one reference to a number of the context. */
const numeric = (schema: Schema.Schema<number>, description: string) =>
  Schema.Union(schema, Schema.String.pipe(Schema.pattern(/^\{\{[^{}]*\}\}$/))).annotations({
    description: `${description}, or a reference such as {{context.n | 5}}`
  })

/**
 * The task of a state: an intent whose texts may hold references to the context (`References` says how), and
 * whose source the runtime gives. Its kind holds none: signals are named by it.
 */
export const StateTask = Schema.Struct({
  kind: Kind,
  payload: Schema.optionalWith(JsonObject, { default: () => ({}) }),
  source: key(Schema.String, "Replaced by workflow:<id>:<state>"),
  subject: key(Text, "What people read in lists"),
  description: key(Text, "What is to be done"),
  priority: key(numeric(Schema.Int.pipe(Schema.between(0, 100)), "an integer from 0 to 100"), "Higher first"),
  requested_profile: key(Id, "The profile; the configured default without it"),
  requested_adapter: key(Id, "The adapter; the profile's own without it"),
  requested_model: key(Id, "The model; the adapter's own without it"),
  max_attempts: key(
    numeric(Schema.Int.pipe(Schema.greaterThanOrEqualTo(1)), "an integer of at least 1"),
    "Attempts of a round"
  ),
  available_at: key(
    texts(Time, "an ISO 8601 time such as 2026-04-29T07:01:02.003Z"),
    "The time from which it is due, ISO 8601 in UTC"
  ),
  schedule: key(
    Schema.Struct({ delay_minutes: numeric(Schema.Number.pipe(Schema.between(0, 5_256_000)), "minutes") }),
    "Due so long after the state was entered"
  ),
  dedupe_key: key(
    texts(text(500, ""), "text of 1 to 500 characters"),
    "While another unfinished task holds it, the workflow waits"
  )
})
export type StateTask = typeof StateTask.Type

export const State = Schema.Struct({
  on: key(Schema.Record({ key: Name, value: Name }), "Signals that leave this state, and where they lead"),
  task: key(StateTask, "The task that this state creates"),
  advance_on: key(
    Schema.Record({ key: Kind, value: Name }),
    "Which signal a completed task of a kind gives; $signal takes the outcome's workflow_signal"
  ),
  complete_on: key(Schema.Array(Kind), "Kinds whose completion completes the workflow"),
  retry_limit: key(
    Schema.Int.pipe(Schema.between(0, 100)),
    `Fresh rounds for a blocked or failed task; ${DEFAULT_RETRY_LIMIT} by default`
  )
})
export type State = typeof State.Type

/** A workflow template as data (SPEC.md section 11). A state with neither `task` nor `on` ends the workflow. */
export const Template = Schema.Struct({
  name: Name,
  initial_state: Name,
  states: Schema.Record({ key: Name, value: State }),
  /** Values of the context that an instance begins with where its own context has none. */
  context: Schema.optionalWith(JsonObject, { default: () => ({}) }),
  counts: key(
    Schema.Record({ key: Name, value: Name }),
    "Keys of the context that count how often a signal was taken"
  )
})
export type Template = typeof Template.Type
