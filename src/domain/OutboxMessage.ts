import { Actor } from "./Actor.ts"
import { MessageId, TaskId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

/** A message that a bridge is to send. Ids rise in the order in which messages were put out. */
export const OutboxMessage = whenUsed(() =>
  wireStruct({
    id: MessageId,
    taskId: TaskId,
    createdAt: Time,
    message: JsonObject,
    ackedAt: nullable(Time),
    ackedBy: nullable(Actor)
  })
)
export type OutboxMessage = typeof OutboxMessage.Type
