import { DateTime, Effect, Option, Schema } from "effect"
import type { Actor } from "../domain/Actor.ts"
import { MessageId } from "../domain/Ids.ts"
import type { OutboxMessage } from "../domain/OutboxMessage.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { AckedMessage, type BridgeMessage, OutboxList } from "./answers/Outbox.ts"
import { messageNotFound, namedMessage } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { badCursor } from "./Refusal.ts"

const shown = ({ ackedAt, ackedBy, createdAt, id, message, taskId }: OutboxMessage): BridgeMessage => ({
  id,
  taskId,
  createdAt,
  message,
  ...(Option.isSome(ackedAt) ? { ackedAt: ackedAt.value } : {}),
  ...(Option.isSome(ackedBy) ? { ackedBy: ackedBy.value } : {})
})

/** The messages that bridges are to send, newest first; `all` has the acknowledged ones too. */
export const list = operation({
  name: "outbox.list",
  role: "read",
  output: OutboxList,
  run: traced("Outbox.list")(function* (input: {
    readonly all: boolean
    /** 1..500. */
    readonly limit: number
    readonly after: Option.Option<string>
  }) {
    const store = yield* Store
    const page = yield* store.outbox.list(input)
    if (Option.isNone(page)) return yield* badCursor(input.after)
    return { messages: page.value.messages.map(shown), next: page.value.next }
  })
})

/**
 * Acknowledges a message, once: `acked` is false when that was done before, and `acked_at` and `acked_by` say
 * when and by whom.
 */
export const ack = operation({
  name: "outbox.ack",
  role: "operate",
  output: AckedMessage,
  run: traced("Outbox.ack")(function* (input: { readonly id: string }, actor) {
    const store = yield* Store
    const stamp = { at: yield* now, actor }
    const whole = Option.match(readMessageId(input.id), {
      onNone: () => Effect.succeedNone,
      onSome: (id) => store.outbox.ack(id, stamp)
    })
    const begun = Effect.flatMap(namedMessage(input.id), (id) => store.outbox.ack(id, stamp))
    const found = yield* Effect.flatMap(whole, (one) => (Option.isSome(one) ? Effect.succeed(one) : begun))
    if (Option.isNone(found)) return yield* messageNotFound(input.id)
    const { acked, message } = found.value
    return {
      ok: true,
      acked,
      id: message.id,
      taskId: message.taskId,
      ackedAt: Option.getOrElse(message.ackedAt, () => DateTime.unsafeMake(0)),
      ackedBy: Option.getOrElse(message.ackedBy, () => UNKNOWN)
    }
  })
})

const readMessageId = Schema.decodeUnknownOption(MessageId)

// Of a row that another program acknowledged without saying who it was.
const UNKNOWN: Actor = { surface: "bridge", name: "unknown" }
