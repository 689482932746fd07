import { Schema } from "effect"
import { Actor } from "../../domain/Actor.ts"
import { MessageId, TaskId } from "../../domain/Ids.ts"
import { JsonObject } from "../../domain/Json.ts"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/** As a bridge reads it; `acked_at` and `acked_by` are there once it is acknowledged. */
const Message = wireStruct({
  id: MessageId,
  taskId: TaskId,
  createdAt: Time,
  message: JsonObject,
  ackedAt: Schema.optional(Time),
  ackedBy: Schema.optional(Actor)
})
export type BridgeMessage = typeof Message.Type

/** Messages that bridges are to send, newest first. */
export const OutboxList = wireStruct({
  messages: Schema.Array(Message),
  next: nullable(Schema.String)
}).annotations({ identifier: "OutboxList" })

/** `acked` is false when the message was acknowledged before; then by whom and when. */
export const AckedMessage = wireStruct({
  ok: Schema.Boolean,
  acked: Schema.Boolean,
  id: MessageId,
  taskId: TaskId,
  ackedAt: Time,
  ackedBy: Actor
}).annotations({ identifier: "AckedMessage" })
