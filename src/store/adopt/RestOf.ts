import { Option } from "effect"
import type { JsonObject } from "../../domain/Json.ts"
import { MOST_INTERVAL_SECONDS } from "../../domain/RecurringSchedule.ts"
import type { OriginalRow } from "../Original.ts"
import { Cells, objectIn, timeText } from "./Cells.ts"

interface Facts {
  readonly at: string
  readonly substitute: string
}

const WORKFLOW_COLUMNS = new Set([
  "id",
  "template",
  "instance_key",
  "current_state",
  "context_json",
  "created_at",
  "updated_at",
  "completed_at"
])

/** A workflow of the original: active until it is completed; a damaged one is stalled, with what is wrong. */
export const workflowOf = (row: OriginalRow, { at, substitute }: Facts) => {
  const cells = new Cells(row)
  cells.rest(WORKFLOW_COLUMNS)
  const createdAt = cells.time("created_at", at)
  const completedAt = cells.optionalTime("completed_at")
  const read = {
    id: cells.whole("id", 1, row.rowid),
    template: cells.text("template", "unknown"),
    instanceKey: cells.text("instance_key", substitute),
    state: cells.text("current_state", "unknown"),
    context: cells.raw("context_json") === null ? "{}" : cells.object("context_json"),
    createdAt,
    updatedAt: cells.time("updated_at", createdAt),
    completedAt
  }
  const isStalled = completedAt === null && cells.problems.length > 0
  const workflow = {
    ...read,
    status: completedAt === null ? (isStalled ? "stalled" : "active") : "completed",
    stalledReason: isStalled ? `this record came damaged: ${cells.problems.join("; ")}` : null
  }
  return { workflow, isStalled, cells }
}

const SCHEDULE_COLUMNS = new Set([
  "schedule_id",
  "name",
  "enabled",
  "interval_seconds",
  "next_run_at",
  "last_run_at",
  "task_json",
  "created_at",
  "updated_at"
])

const ONE_DAY_SECONDS = 86_400

/** A schedule of the original; a damaged one is disabled, with what is wrong. */
export const scheduleOf = (row: OriginalRow, { at, substitute }: Facts) => {
  const cells = new Cells(row)
  cells.rest(SCHEDULE_COLUMNS)
  const createdAt = cells.time("created_at", at)
  const interval = cells.whole("interval_seconds", 1, ONE_DAY_SECONDS)
  const read = {
    scheduleId: cells.id("schedule_id", substitute),
    name: cells.text("name", substitute),
    intervalSeconds:
      interval <= MOST_INTERVAL_SECONDS
        ? interval
        : cells.damaged(
            "interval_seconds",
            `an integer of at most ${MOST_INTERVAL_SECONDS}`,
            ONE_DAY_SECONDS
          ),
    nextRunAt: cells.time("next_run_at", at),
    lastRunAt: cells.optionalTime("last_run_at"),
    task: cells.object("task_json"),
    createdAt,
    updatedAt: cells.time("updated_at", createdAt)
  }
  const isDamaged = cells.problems.length > 0
  const schedule = {
    ...read,
    enabled: !isDamaged && cells.raw("enabled") !== 0 ? 1 : 0,
    disabledReason: isDamaged ? `this record came damaged: ${cells.problems.join("; ")}` : null
  }
  return { schedule, isDamaged, cells }
}

const SENSOR_COLUMNS = new Set([
  "sensor_event_id",
  "sensor_id",
  "event_id",
  "observed_at",
  "source_ref",
  "dedupe_key",
  "payload_json",
  "task_id",
  "workflow_id",
  "created_at",
  "freshness_deadline"
])

/** A sensor event of the original. `workflowId` is that of the original. */
export const sensorEventOf = (row: OriginalRow, { at, substitute }: Facts) => {
  const cells = new Cells(row)
  cells.rest(SENSOR_COLUMNS)
  const createdAt = cells.time("created_at", at)
  const workflow = cells.raw("workflow_id")
  const event = {
    sensorEventId: cells.id("sensor_event_id", substitute),
    sensorId: cells.text("sensor_id", "unknown"),
    eventId: cells.text("event_id", substitute),
    sourceRef: cells.text("source_ref", "unknown"),
    dedupeKey: cells.text("dedupe_key", substitute),
    payload: cells.object("payload_json"),
    observedAt: cells.time("observed_at", createdAt),
    deadline: cells.optionalTime("freshness_deadline"),
    taskId: cells.named("task_id"),
    createdAt
  }
  return { event, workflowId: typeof workflow === "number" ? workflow : null, cells }
}

export interface AdoptedEvent {
  readonly id: number
  readonly type: string
  readonly taskId: string | null
  readonly attemptId: string | null
  /** The workflow that it is about, by its id in the original. */
  readonly workflowId: number | null
  readonly scheduleId: string | null
  readonly detail: JsonObject
  readonly createdAt: string
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null)

/**
 * A line of the original's history, whatever its type. What cannot stand as it was stands in the detail:
 * `original_detail` where that was no JSON object, `original_created_at` where that was no time, and then the
 * line has the time of the one before it.
 */
export const eventOf = ({ cells, rowid }: OriginalRow, before: string): AdoptedEvent => {
  const given = typeof cells.detail_json === "string" ? objectIn(cells.detail_json) : Option.none()
  const at = typeof cells.created_at === "string" ? timeText(cells.created_at) : Option.none()
  const detail: JsonObject = {
    ...Option.getOrElse(
      given,
      (): JsonObject => ({ original_detail: String(cells.detail_json).toWellFormed() })
    ),
    ...(Option.isSome(at) ? {} : { original_created_at: String(cells.created_at).toWellFormed() })
  }
  return {
    id: rowid,
    type: text(cells.event_type) ?? "unknown",
    taskId: text(cells.task_id),
    attemptId: text(cells.attempt_id),
    workflowId: typeof detail.workflow_id === "number" ? detail.workflow_id : null,
    scheduleId: text(detail.schedule_id),
    detail,
    createdAt: Option.getOrElse(at, () => before)
  }
}
