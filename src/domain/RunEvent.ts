import { Schema } from "effect"
import { Actor } from "./Actor.ts"
import { AttemptId, EventId, TaskId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

/** Every kind of line that the history knows (SPEC.md section 19). */
export const EventType = whenUsed(() =>
  Schema.Literal(
    "task_enqueued",
    "task_deduped",
    "task_claimed",
    "task_started",
    "bundle_compiled",
    "adapter_fallback_used",
    "task_attempt_finished",
    "task_retry_scheduled",
    "rate_limit_rescheduled",
    "task_finished",
    "task_operator_canceled",
    "task_cancel_requested",
    "task_retried",
    "task_replayed",
    "follow_up_created",
    "follow_up_refused",
    "outbox_added",
    "outbox_acked",
    "question_asked",
    "question_expired",
    "schedule_upserted",
    "schedule_task_created",
    "schedule_skipped_overlap",
    "sensor_event_recorded",
    "sensor_event_deduped",
    "sensor_event_stale",
    "sensor_task_created",
    "sensor_workflow_created",
    "sensor_workflow_deduped",
    "workflow_created",
    "workflow_task_created",
    "workflow_transitioned",
    "workflow_completed",
    "workflow_stalled",
    "dispatch_idle",
    "dispatch_paused",
    "dispatch_pause_enabled",
    "dispatch_pause_cleared",
    "boot_sweep_reclaimed",
    "dispatch_drained",
    "late_result_ignored",
    "record_quarantined",
    "adapter_cooldown",
    "budget_exhausted",
    "budget_granted"
  )
)
export type EventType = typeof EventType.Type

/** One line of the append-only history. `eventType` is open text when read: older databases have others. */
export const RunEvent = whenUsed(() =>
  wireStruct({
    id: EventId,
    eventType: Schema.String,
    taskId: nullable(TaskId),
    attemptId: nullable(AttemptId),
    actor: Actor,
    detail: JsonObject,
    createdAt: Time
  }).annotations({ identifier: "RunEvent" })
)
export type RunEvent = typeof RunEvent.Type
