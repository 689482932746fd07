import { Schema } from "effect"
import { WorkflowId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { text } from "./Task.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"
import { WORKFLOW_STATUSES } from "./WorkflowStatuses.ts"

export const WorkflowStatus = Schema.Literal(...WORKFLOW_STATUSES)
export type WorkflowStatus = typeof WorkflowStatus.Type

/** What an instance is known by, to whoever opens it. */
export const InstanceKey = text(200, "")

/** An instance of a workflow template, as every surface shows it. */
export const Workflow = whenUsed(() =>
  wireStruct({
    id: WorkflowId,
    template: Schema.String,
    /** Unique among all instances, ended ones included. */
    instanceKey: Schema.String,
    currentState: Schema.String,
    context: JsonObject,
    status: WorkflowStatus,
    stalledReason: nullable(Schema.String),
    createdAt: Time,
    updatedAt: Time,
    completedAt: nullable(Time)
  }).annotations({ identifier: "Workflow" })
)
export type Workflow = typeof Workflow.Type
