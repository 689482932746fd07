import type { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId, MessageId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { OutboxMessage } from "../domain/OutboxMessage.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface OutboxPage {
  readonly messages: ReadonlyArray<OutboxMessage>
  /** Opaque; none on the last page. */
  readonly next: Option.Option<string>
}

/** Messages that bridges read and acknowledge; the runtime itself sends nothing. */
export interface Outbox {
  readonly add: (
    message: {
      readonly id: MessageId
      readonly taskId: TaskId
      readonly attemptId: AttemptId
      readonly message: JsonObject
    },
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /**
   * The message that another attempt of the task has put out with the same JSON, in whatever order its keys stand,
   * acknowledged or not; none when none has.
   */
  readonly putOutBefore: (message: {
    readonly taskId: TaskId
    readonly attemptId: AttemptId
    readonly message: JsonObject
  }) => Effect.Effect<Option.Option<MessageId>, StoreUnavailable>
  /**
   * Newest first, those that are not acknowledged; `all` of them otherwise. `limit` 1..500; a cursor that this
   * store did not give answers none.
   */
  readonly list: (page: {
    readonly all: boolean
    readonly limit: number
    readonly after: Option.Option<string>
  }) => Effect.Effect<Option.Option<OutboxPage>, StoreUnavailable>
  /** The ids that begin like this, in their order, at most `limit`. */
  readonly startingWith: (
    prefix: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<MessageId>, StoreUnavailable>
  /**
   * Acknowledges a message; `acked` is false when somebody had done so before, whose name and time the message
   * then tells. None when there is no such message.
   */
  readonly ack: (
    id: MessageId,
    stamp: Stamp
  ) => Effect.Effect<
    Option.Option<{ readonly acked: boolean; readonly message: OutboxMessage }>,
    StoreUnavailable
  >
}
