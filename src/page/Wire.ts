// The records as they come over the wire. test/page/Wire.test.ts holds them against the schemas that write them.

export type Status =
  | "pending"
  | "running"
  | "completed"
  | "retryable_failure"
  | "permanent_failure"
  | "blocked"
  | "operator_canceled"

export type JsonObject = { readonly [key: string]: unknown }

export interface Question {
  readonly text: string
  readonly choices?: ReadonlyArray<string> | null | undefined
  readonly expires_at?: string | null | undefined
  readonly default?: string | null | undefined
}

export interface Outcome {
  readonly status: string
  readonly operator_summary: string
  readonly machine_status: string
  readonly file_changes?: ReadonlyArray<string> | null | undefined
  readonly artifact_paths?: ReadonlyArray<string> | null | undefined
  readonly workflow_signal?: string | null | undefined
  readonly question?: Question | null | undefined
}

export interface Task {
  readonly task_id: string
  readonly kind: string
  readonly source: string
  readonly subject: string | null
  readonly description: string | null
  readonly priority: number
  readonly payload: JsonObject
  readonly requested_profile: string | null
  readonly requested_adapter: string | null
  readonly requested_model: string | null
  readonly max_attempts: number
  readonly status: Status
  readonly attempt_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly available_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly outcome: Outcome | null
  readonly last_error: string | null
  readonly parent_task_id: string | null
  readonly workflow_id: number | null
  readonly untrusted: boolean
}

/** A task that has ended, with what its last attempt used. */
export interface EndedTask extends Task {
  readonly usage?: Tokens | null | undefined
}

/** What a task of the queue waits for. */
export interface Reason {
  readonly task_id: string
  readonly waiting: Waiting
}

export interface Tokens {
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly cached_tokens: number | null
  readonly cost_usd: number | null
}

export interface Attempt {
  readonly attempt_id: string
  readonly task_id: string
  readonly number: number
  readonly runner_id: string
  readonly host: string
  readonly profile_id: string | null
  readonly adapter_id: string | null
  readonly adapter_mode: string | null
  readonly model: string | null
  readonly status: "running" | "finished"
  readonly started_at: string
  readonly ended_at: string | null
  readonly exit_status: string | null
  readonly retry_class: string | null
  readonly reason: string | null
  readonly bundle_id: string | null
  readonly bundle_hash: string | null
  readonly replay_grade: string | null
  readonly usage: Tokens
  readonly issues: ReadonlyArray<string>
  readonly prompt_path: string | null
}

export interface RunEvent {
  readonly id: number
  readonly event_type: string
  readonly task_id: string | null
  readonly attempt_id: string | null
  readonly actor: { readonly surface: string; readonly name: string }
  readonly detail: JsonObject
  readonly created_at: string
}

export interface Waiting {
  readonly reason: string
  readonly detail: string
  readonly until: string | null
}

export interface Artifact {
  readonly path: string
  readonly exists: boolean
  readonly size: number | null
}

export interface Story {
  readonly task: Task
  readonly attempts: ReadonlyArray<Attempt>
  readonly events: ReadonlyArray<RunEvent>
  readonly artifacts: ReadonlyArray<Artifact>
  readonly children: ReadonlyArray<Task>
  readonly waiting: Waiting | null
}

export interface State {
  readonly runtime_name: string
  readonly runtime_state: "idle" | "running" | "paused"
  readonly counts: {
    readonly queued: number
    readonly running: number
    readonly completed: number
    readonly blocked: number
    readonly retryable_failure: number
    readonly permanent_failure: number
    readonly operator_canceled: number
  }
  readonly dispatch_paused: {
    readonly paused: boolean
    readonly reason: string | null
    readonly updated_at: string | null
  }
  readonly dispatcher: {
    readonly held: boolean
    readonly runner_id: string | null
    readonly since: string | null
  }
  readonly last_event: RunEvent | null
}

export interface Workflow {
  readonly id: number
  readonly template: string
  readonly instance_key: string
  readonly current_state: string
  readonly context: JsonObject
  readonly status: "active" | "stalled" | "completed"
  readonly stalled_reason: string | null
  readonly waits_for: {
    readonly task_id: string
    readonly dedupe_key: string | null
    readonly question: string | null
    readonly until: string | null
  } | null
  readonly created_at: string
  readonly updated_at: string
  readonly completed_at: string | null
}

export interface Schedule {
  readonly schedule_id: string
  readonly name: string
  readonly enabled: boolean
  readonly interval_seconds: number | null
  readonly cron: string | null
  readonly timezone: string | null
  readonly next_run_at: string
  readonly last_run_at: string | null
  readonly last_task_id: string | null
  readonly overlap: string
  readonly task: JsonObject
  readonly disabled_reason: string | null
}

export interface Fate {
  readonly first_due_at: string
  readonly last_due_at: string
  readonly missed: number
  readonly fate: "fired" | "skipped_overlap" | "coalesced" | "refused"
  readonly task_id: string | null
  readonly task_status: string | null
  readonly reason: string | null
  readonly evaluated_at: string
}

export interface SensorEvent {
  readonly sensor_event_id: string
  readonly sensor_id: string
  readonly event_id: string
  readonly source_ref: string
  readonly dedupe_key: string
  readonly payload: JsonObject
  readonly observed_at: string
  readonly freshness_deadline: string | null
  readonly stale: boolean
  readonly task_id: string | null
  readonly workflow_id: number | null
  readonly created_at: string
}

export interface Adapter {
  readonly id: string
  readonly mode: string
  readonly driver: string | null
  readonly model: string | null
  readonly workspace: string
  readonly autonomy: string | null
  readonly fallback: string | null
  readonly default: boolean
  readonly untrusted: boolean
  readonly concurrency: number | null
  readonly running: number
  readonly cooldown: { readonly until: string; readonly reason: string | null } | null
  readonly ok?: boolean | undefined
  readonly reason?: string | undefined
  readonly remedy?: string | undefined
  readonly problems?: ReadonlyArray<string> | undefined
  readonly warnings?: ReadonlyArray<string> | undefined
}

/** What an adapter used on a day (UTC). */
export interface DayUse {
  readonly day: string
  readonly adapter_id: string
  readonly attempts: number
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly cached_tokens: number | null
  readonly cost_usd: number | null
}

/** What the attempts of a stretch of time came to. */
export interface AttemptSums {
  readonly attempts: number
  readonly running: number
  readonly ok: number
  readonly median_ms: number | null
  readonly p95_ms: number | null
  readonly input_tokens: number
  readonly output_tokens: number
}

export interface AttemptHour extends AttemptSums {
  readonly hour: string
}

export interface AttemptDay extends AttemptSums {
  /** Older attempts than these were not read. */
  readonly partial: boolean
  readonly hours: ReadonlyArray<AttemptHour>
}

/** How attempts of the last 24 hours went. */
export interface AttemptUsage {
  readonly since: string
  readonly all: AttemptDay
  readonly adapters: ReadonlyArray<AttemptDay & { readonly adapter_id: string }>
}

/** One thing that an agent did. */
export interface Step {
  readonly at: string
  readonly tool: string
  readonly target: string
  readonly ok: boolean | null
}

export interface Budget {
  readonly id: string
  readonly subject: string | null
  readonly window: "day" | "task"
  readonly task_id: string | null
  readonly window_start: string | null
  readonly opens_at: string | null
  readonly unit: "usd" | "tokens" | "attempts"
  readonly limit: number
  readonly spent: number
  readonly reserved: number
  readonly granted: number
  readonly exhausted_at: string | null
}
