import { DateTime, Option, Schema } from "effect"
import type { Actor } from "./Actor.ts"
import { isBlank, spelledOut } from "./Blank.ts"
import { counted } from "./Figure.ts"
import { type AttemptId, TaskId, WorkflowId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { Outcome } from "./Outcome.ts"
import { TASK_STATUSES } from "./TaskStatuses.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

export const TaskStatus = Schema.Literal(...TASK_STATUSES)
export type TaskStatus = typeof TaskStatus.Type

/** Left only by a retry. */
export const TERMINAL: ReadonlyArray<TaskStatus> = ["completed", "permanent_failure", "operator_canceled"]

/** Text of which something can be seen, at most `most` characters, sound Unicode without NUL; `what` ends its description. */
export const text = (most: number, what: string) => {
  const description = `text of 1 to ${counted(most)} characters${what}`
  return Schema.String.pipe(
    Schema.filter((value) => unsound(value) ?? (value !== "" && isWithin(value, most)), {
      description,
      jsonSchema: bounds(most)
    })
  ).annotations({ description })
}

/** A text's bounds for JSON Schema. */
export const bounds = (most: number) => ({ minLength: 1, maxLength: most, pattern: SEEN })

/** As near to what `unsound` refuses as a pattern of JSON Schema comes that every reader of one understands. */
const SEEN = "^[^\\x00]*[^\\s\\x00][^\\x00]*$"

/** What nobody sees in a text and what makes it unfit all the same; undefined when there is none of it. */
const unsound = (value: string): string | undefined => {
  if (value !== "" && isBlank(value)) return `found ${spelledOut(value.slice(0, 20))}, which is blank`
  if (value.includes("\0")) return "it holds a NUL character"
  return value.isWellFormed() ? undefined : "it holds half of a surrogate pair, which is not valid Unicode"
}

// Characters, not the units of UTF-16: a text of 200 emoji is a text of 200 characters.
const isWithin = (value: string, most: number): boolean =>
  value.length <= most || (value.length <= 2 * most && Array.from(value).length <= most)

/**
 * An integer from `least` to `most`; without `most` the end is open, but for integers that no number holds exactly, and
 * the end is only told of to who meets it.
 */
export const integer = (least: number, most?: number) => {
  const end = most ?? Number.MAX_SAFE_INTEGER
  const description =
    most === undefined ? `an integer of at least ${least}` : `an integer from ${least} to ${counted(most)}`
  return Schema.Number.pipe(
    Schema.filter(
      (value) =>
        most === undefined && value > end
          ? `found ${value}, which is above ${counted(end)}`
          : Number.isSafeInteger(value) && value >= least && value <= end,
      { description, jsonSchema: { type: "integer", minimum: least, maximum: end } }
    )
  ).annotations({ description })
}

/** A reason, note or answer of an operator goes into events and prompts: it has to say something, shortly. */
export const OperatorText = text(10_000, "")

/** Ids of profiles and adapters, as tasks and configurations name them. */
export const ConfiguredId = text(200, "")

/** What comes first: 0..100, higher first. */
export const Priority = Schema.Int.pipe(Schema.between(0, 100)).annotations({
  description: "an integer from 0 to 100, higher first"
})

/** How many attempts a round has. */
export const MaxAttempts = integer(1)

/** The fields of an intent. */
export const intentFields = () => ({
  kind: text(200, ""),
  source: text(200, ""),
  payload: JsonObject,
  subject: Schema.optional(text(1_000, "")),
  description: Schema.optional(text(100_000, "")),
  priority: Schema.optional(Priority),
  requestedProfile: Schema.optional(ConfiguredId),
  requestedAdapter: Schema.optional(ConfiguredId),
  requestedModel: Schema.optional(ConfiguredId),
  maxAttempts: Schema.optional(MaxAttempts),
  availableAt: Schema.optional(Time),
  schedule: Schema.optional(
    wireStruct({
      delayMinutes: Schema.Number.pipe(Schema.finite(), Schema.between(0, 5_256_000)).annotations({
        description: "a number of minutes from 0 to 5,256,000 (ten years)"
      })
    })
  ),
  dedupeKey: Schema.optional(text(500, ""))
})

/** What a producer hands in (SPEC.md section 3). */
export const Intent = whenUsed(() => wireStruct(intentFields()))
export type Intent = typeof Intent.Type

/** Priority of an intent that names none. */
export const DEFAULT_PRIORITY = 5

/** One unit of work and its queue state, as every surface shows it. */
export const Task = whenUsed(() =>
  wireStruct({
    taskId: TaskId,
    kind: Schema.String,
    source: Schema.String,
    subject: nullable(Schema.String),
    description: nullable(Schema.String),
    priority: Schema.Int,
    payload: JsonObject,
    requestedProfile: nullable(Schema.String),
    requestedAdapter: nullable(Schema.String),
    requestedModel: nullable(Schema.String),
    maxAttempts: Schema.Int,
    dedupeKey: nullable(Schema.String),
    status: TaskStatus,
    attemptCount: Schema.Int,
    createdAt: Time,
    updatedAt: Time,
    availableAt: Time,
    startedAt: nullable(Time),
    finishedAt: nullable(Time),
    outcome: nullable(Outcome),
    lastError: nullable(Schema.String),
    parentTaskId: nullable(TaskId),
    workflowId: nullable(WorkflowId),
    untrusted: Schema.Boolean
  }).annotations({ identifier: "Task" })
)
export type Task = typeof Task.Type

/** Whether the present round has no attempt left: such a task is never claimed. */
export const isUsedUp = ({
  attemptCount,
  maxAttempts
}: Pick<Task, "attemptCount" | "maxAttempts">): boolean => attemptCount >= maxAttempts

/**
 * Whether a task is due. What was due at once when it was queued, put back or retried stays so, though the clock was set
 * back since; what was put off waits until its time.
 */
export const isDue = (
  { availableAt, updatedAt }: Pick<Task, "availableAt" | "updatedAt">,
  at: DateTime.Utc
): boolean =>
  DateTime.lessThanOrEqualTo(availableAt, at) || DateTime.lessThanOrEqualTo(availableAt, updatedAt)

/** A path whose content was known when a round began; the hash is none for a file that was not there. */
export const KnownFile = whenUsed(() => wireStruct({ path: Schema.String, sha256: nullable(Schema.String) }))
export type KnownFile = typeof KnownFile.Type

/**
 * The present round of a task's attempts: retries by an operator begin a new one. `notCounted` are the
 * attempts that were taken back (rate limit, drain). Evidence is judged against `startedAt` and `known`.
 */
export const Round = whenUsed(() =>
  wireStruct({
    round: Schema.Int,
    roundStartedAt: nullable(Time),
    notCounted: Schema.Int,
    known: nullable(Schema.Array(KnownFile)),
    note: nullable(Schema.String),
    replayOf: nullable(Schema.String),
    workflowState: nullable(Schema.String),
    generation: Schema.Int,
    rootTaskId: nullable(TaskId),
    traceParent: nullable(Schema.String)
  })
)
export type Round = typeof Round.Type

/** A task as it enters the store: decided by `intake/Enqueue`, which is the one door. */
export interface NewTask {
  readonly taskId: TaskId
  readonly intent: Intent
  readonly priority: number
  readonly maxAttempts: number
  readonly availableAt: DateTime.Utc
  readonly untrusted: boolean
  readonly parent: Option.Option<{
    readonly taskId: TaskId
    readonly rootTaskId: TaskId
    readonly generation: number
  }>
  readonly workflow: Option.Option<{
    readonly id: WorkflowId
    readonly template: string
    readonly state: string
  }>
  readonly replayOf: Option.Option<AttemptId>
  readonly traceParent: Option.Option<string>
  readonly createdBy: Actor
}

/** The record of a task when it has just come in at `at`. */
export const recordOf = ({ intent, ...task }: NewTask, at: DateTime.Utc): Task => ({
  taskId: task.taskId,
  kind: intent.kind,
  source: intent.source,
  subject: Option.fromNullable(intent.subject),
  description: Option.fromNullable(intent.description),
  priority: task.priority,
  payload: intent.payload,
  requestedProfile: Option.fromNullable(intent.requestedProfile),
  requestedAdapter: Option.fromNullable(intent.requestedAdapter),
  requestedModel: Option.fromNullable(intent.requestedModel),
  maxAttempts: task.maxAttempts,
  dedupeKey: Option.fromNullable(intent.dedupeKey),
  status: "pending",
  attemptCount: 0,
  createdAt: at,
  updatedAt: at,
  availableAt: task.availableAt,
  startedAt: Option.none(),
  finishedAt: Option.none(),
  outcome: Option.none(),
  lastError: Option.none(),
  parentTaskId: Option.map(task.parent, (parent) => parent.taskId),
  workflowId: Option.map(task.workflow, (workflow) => workflow.id),
  untrusted: task.untrusted
})
