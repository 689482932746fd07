import { Schema } from "effect"
import { TaskId, WorkflowId } from "../../domain/Ids.ts"
import { SensorEvent } from "../../domain/SensorEvent.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/**
 * What an observation came to: `accepted` is false for a repeat, which answers the first one's ids; `stale` is there
 * for one that came too late to make anything.
 */
export const AcceptedEvent = wireStruct({
  accepted: Schema.Boolean,
  stale: Schema.optional(Schema.Literal(true)),
  taskId: nullable(TaskId),
  workflowId: nullable(WorkflowId),
  event: SensorEvent
}).annotations({ identifier: "AcceptedEvent" })

/** A page of observations, newest first. */
export const SensorEventList = wireStruct({
  events: Schema.Array(SensorEvent),
  next: nullable(Schema.String)
}).annotations({ identifier: "SensorEventList" })
