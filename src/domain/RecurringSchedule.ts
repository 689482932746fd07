import { Schema } from "effect"
import { TaskId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { bounds, intentFields, text } from "./Task.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

/** What happens to a due time while the schedule's last task is unfinished. */
export const Overlap = Schema.Literal("skip", "allow")
export type Overlap = typeof Overlap.Type

/** The longest interval, in seconds: 100 years. */
export const MOST_INTERVAL_SECONDS = 3_155_760_000

/** A name that a path of the API can hold: one of dots alone stands for a folder there, however it is written. */
const ScheduleName = text(200, ", other than . and ..").pipe(
  Schema.filter((name) => (name === "." || name === ".." ? "no path can hold it" : true))
)

export const CronText = text(200, ": five cron fields, or six with seconds first")
export const ZoneText = text(100, ": a time zone such as Europe/Zurich")

/** A task's source is at most 200 characters, and `:<due time>` comes behind the schedule's. */
export const MOST_SCHEDULE_SOURCE = 200 - ":2026-01-01T00:00:00.000Z".length

// What an intent may not be here is judged where it is read, in sentences; this tells it to who writes one.
const ScheduleTask = whenUsed(() =>
  wireStruct({
    ...intentFields(),
    source: text(200, "").annotations({ jsonSchema: bounds(MOST_SCHEDULE_SOURCE) }),
    availableAt: Schema.optional(Time.annotations({ jsonSchema: { not: {}, description: "refused here" } }))
  })
)

/** What saves a schedule (SPEC.md section 9): one of `interval_seconds` and `cron`, and the task to create. */
export const ScheduleIntent = whenUsed(() =>
  wireStruct({
    name: ScheduleName,
    intervalSeconds: Schema.optional(
      Schema.Int.pipe(Schema.between(1, MOST_INTERVAL_SECONDS)).annotations({
        description: "an integer of at least 1, at most 100 years of seconds"
      })
    ),
    cron: Schema.optional(CronText),
    timezone: Schema.optional(ZoneText),
    task: ScheduleTask,
    nextRunAt: Schema.optional(Time),
    enabled: Schema.optionalWith(Schema.Boolean, { default: () => true }),
    overlap: Schema.optionalWith(Overlap, { default: () => "skip" as const })
  })
)
export type ScheduleIntent = typeof ScheduleIntent.Type

/** A recurring producer of tasks, as every surface shows it. */
export const RecurringSchedule = whenUsed(() =>
  wireStruct({
    scheduleId: Schema.String,
    name: Schema.String,
    enabled: Schema.Boolean,
    intervalSeconds: nullable(Schema.Int),
    cron: nullable(Schema.String),
    timezone: nullable(Schema.String),
    nextRunAt: Time,
    lastRunAt: nullable(Time),
    lastTaskId: nullable(TaskId),
    overlap: Overlap,
    /** The intent as it was handed in. */
    task: JsonObject,
    /** Why it was disabled, where somebody or the runtime did that. */
    disabledReason: nullable(Schema.String),
    createdAt: Time,
    updatedAt: Time
  }).annotations({ identifier: "RecurringSchedule" })
)
export type RecurringSchedule = typeof RecurringSchedule.Type

/** What became of a due time, or (coalesced) of a range of them. */
export const ScheduleFate = whenUsed(() =>
  wireStruct({
    firstDueAt: Time,
    lastDueAt: Time,
    /** How many due times a coalesced row stands for; 0 for every other one, which stands for its own. */
    missed: Schema.Int,
    fate: Schema.Literal("fired", "skipped_overlap", "coalesced", "refused"),
    taskId: nullable(TaskId),
    /** How its task stands now; null where it has none, or none any more. */
    taskStatus: nullable(Schema.String),
    reason: nullable(Schema.String),
    /** The time that was evaluated at, from which the next one was reckoned. */
    evaluatedAt: Time
  }).annotations({ identifier: "ScheduleFate" })
)
export type ScheduleFate = typeof ScheduleFate.Type
