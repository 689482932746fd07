import { Schema } from "effect"

// The records as an operator's programs see them, written down anew: what is compared here is the wire.

const text = Schema.String
const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.NullOr(schema)
const object = Schema.Record({ key: text, value: Schema.Unknown })

/** ISO 8601 in UTC with milliseconds. */
export const Time = text.pipe(Schema.pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
/** UUIDv7. */
export const Id = text.pipe(
  Schema.pattern(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
)
/** Lower-case hex SHA-256. */
export const Hash = text.pipe(Schema.pattern(/^[0-9a-f]{64}$/))
const RunnerId = text.pipe(Schema.pattern(/^[^:]+:\d+:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))

const Outcome = Schema.Struct({
  status: Schema.Literal("completed", "retryable_failure", "permanent_failure", "blocked"),
  operator_summary: text,
  machine_status: Schema.Literal("ok", "needs_retry", "blocked", "failed"),
  file_changes: Schema.Array(text),
  artifact_paths: Schema.Array(text),
  follow_up_tasks: Schema.Array(object),
  external_messages: Schema.Array(object),
  workflow_signal: Schema.optional(text),
  retry_after_seconds: Schema.optional(Schema.Number),
  question: Schema.optional(object)
})

const Status = Schema.Literal(
  "pending",
  "running",
  "completed",
  "retryable_failure",
  "permanent_failure",
  "blocked",
  "operator_canceled"
)

export const Task = Schema.Struct({
  task_id: Id,
  kind: text,
  source: text,
  subject: orNull(text),
  description: orNull(text),
  priority: Schema.Int,
  payload: object,
  requested_profile: orNull(text),
  requested_adapter: orNull(text),
  requested_model: orNull(text),
  max_attempts: Schema.Int,
  dedupe_key: orNull(text),
  status: Status,
  attempt_count: Schema.Int,
  created_at: Time,
  updated_at: Time,
  available_at: Time,
  started_at: orNull(Time),
  finished_at: orNull(Time),
  outcome: orNull(Outcome),
  last_error: orNull(text),
  parent_task_id: orNull(Id),
  workflow_id: orNull(Schema.Int),
  untrusted: Schema.Boolean
})

export const Attempt = Schema.Struct({
  attempt_id: Id,
  task_id: Id,
  number: Schema.Int,
  runner_id: RunnerId,
  host: text,
  profile_id: orNull(text),
  adapter_id: orNull(text),
  adapter_mode: orNull(Schema.Literal("script", "agent-cli", "ollama-generate", "openai-chat")),
  model: orNull(text),
  status: Schema.Literal("running", "finished"),
  started_at: Time,
  ended_at: orNull(Time),
  exit_status: orNull(Schema.Literal("ok", "error", "timeout", "canceled")),
  retry_class: orNull(Schema.Literal("none", "retryable", "permanent")),
  reason: orNull(text),
  bundle_id: orNull(Id),
  bundle_hash: orNull(Hash),
  replay_grade: orNull(Schema.Literal("inputs_frozen", "best_effort", "non_replayable_model")),
  usage: Schema.Struct({
    input_tokens: orNull(Schema.Int),
    output_tokens: orNull(Schema.Int),
    cached_tokens: orNull(Schema.Int),
    cost_usd: orNull(Schema.Number)
  }),
  issues: Schema.Array(text),
  prompt_path: orNull(text),
  stdout_path: orNull(text),
  stderr_path: orNull(text),
  result_path: orNull(text)
})

export const RunEvent = Schema.Struct({
  id: Schema.Int,
  event_type: text,
  task_id: orNull(Id),
  attempt_id: orNull(Id),
  actor: Schema.Struct({ surface: text, name: text }),
  detail: object,
  created_at: Time
})

export const Waiting = Schema.Struct({
  reason: Schema.Literal(
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
  ),
  detail: text,
  until: orNull(Time)
})

/** One run of a bundle beside others of the same. */
export const Run = Schema.Struct({
  task_id: Id,
  attempt_id: orNull(Id),
  of_attempt_id: orNull(Id),
  adapter_id: orNull(text),
  model: orNull(text),
  status: Status,
  exit_status: Attempt.fields.exit_status,
  reason: orNull(text),
  bundle_hash: orNull(Hash),
  usage: orNull(Attempt.fields.usage),
  duration_ms: orNull(Schema.Int),
  operator_summary: orNull(text)
})

/** What `task-show` prints. */
export const Shown = Schema.Struct({
  task: Task,
  attempts: Schema.Array(Attempt),
  events: Schema.Array(RunEvent),
  artifacts: Schema.Array(Schema.Struct({ path: text, exists: Schema.Boolean, size: orNull(Schema.Int) })),
  children: Schema.Array(Task),
  waiting: orNull(Waiting),
  replay_of: orNull(Run),
  replays: Schema.Array(Run)
})

/** What `task-list` prints. */
export const TaskPage = Schema.Struct({ tasks: Schema.Array(Task), next: orNull(text) })

/** What `events` prints. */
export const Events = Schema.Struct({ events: Schema.Array(RunEvent) })

/** What `status` prints. */
export const StatusReport = Schema.Struct({
  runtime_name: text,
  runtime_state: Schema.Literal("idle", "running", "paused"),
  counts: Schema.Struct({
    queued: Schema.Int,
    running: Schema.Int,
    completed: Schema.Int,
    blocked: Schema.Int,
    retryable_failure: Schema.Int,
    permanent_failure: Schema.Int,
    operator_canceled: Schema.Int
  }),
  dispatch_paused: Schema.Struct({
    paused: Schema.Boolean,
    reason: orNull(text),
    updated_at: orNull(Time)
  }),
  dispatcher: Schema.Struct({ held: Schema.Boolean, runner_id: orNull(RunnerId), since: orNull(Time) }),
  last_event: orNull(RunEvent),
  recent: Schema.Array(
    Schema.Struct({
      task_id: Id,
      kind: text,
      subject: orNull(text),
      status: Status,
      created_at: Time,
      updated_at: Time,
      operator_summary: orNull(text),
      attempt_id: orNull(Id),
      bundle_hash: orNull(Hash)
    })
  )
})

/** What `intake` prints. */
export const Queued = Schema.Struct({
  queued: Schema.Boolean,
  task_id: Id,
  profile: text,
  available_at: Time
})

/** Reads JSON by a shape in which no key is unknown. */
export const exactly = <A, I>(shape: Schema.Schema<A, I>, value: unknown): A =>
  Schema.decodeUnknownSync(shape, { onExcessProperty: "error" })(value)
