import { Schema } from "effect"
import { TaskId, WorkflowId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { Intent, text } from "./Task.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"
import { InstanceKey } from "./Workflow.ts"

/** A workflow that somebody proposes to open; where `state` is left out the template's first one. */
export const WorkflowProposal = whenUsed(() =>
  wireStruct({
    template: text(200, ""),
    instanceKey: InstanceKey,
    state: Schema.optional(text(200, "")),
    context: Schema.optionalWith(JsonObject, { default: () => ({}) })
  })
)
export type WorkflowProposal = typeof WorkflowProposal.Type

/** An observation that is pushed in (SPEC.md section 10). */
export const SensorReport = whenUsed(() =>
  wireStruct({
    sensorId: text(200, ""),
    eventId: text(500, ""),
    sourceRef: text(2_000, ""),
    dedupeKey: text(500, ""),
    payload: JsonObject,
    /** When the sensor saw it; the time of its recording where it is left out. */
    observedAt: Schema.optional(Time),
    /** After this time it is recorded and creates nothing; without one it is fresh at any time. */
    freshnessDeadline: Schema.optional(Time),
    proposedTask: Schema.optionalWith(Intent, { nullable: true }),
    proposedWorkflow: Schema.optionalWith(WorkflowProposal, { nullable: true })
  })
)
export type SensorReport = typeof SensorReport.Type

/** A recorded observation and what it came to, as every surface shows it. */
export const SensorEvent = whenUsed(() =>
  wireStruct({
    sensorEventId: Schema.String,
    sensorId: Schema.String,
    eventId: Schema.String,
    sourceRef: Schema.String,
    dedupeKey: Schema.String,
    payload: JsonObject,
    observedAt: Time,
    freshnessDeadline: nullable(Time),
    stale: Schema.Boolean,
    /** The task and the workflow that it created, or found there already. */
    taskId: nullable(TaskId),
    workflowId: nullable(WorkflowId),
    createdAt: Time
  }).annotations({ identifier: "SensorEvent" })
)
export type SensorEvent = typeof SensorEvent.Type
