import { DateTime, Effect, Option } from "effect"
import type { Actor } from "../domain/Actor.ts"
import type { OutboxMessage } from "../domain/OutboxMessage.ts"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"
import { AckedMessage, type BridgeMessage, OutboxList } from "./answers/Outbox.ts"
import { operation } from "./Operation.ts"
import { badCursor, Refusal } from "./Refusal.ts"

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
  run: Effect.fn("Outbox.list")(function* (input: {
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
  run: Effect.fn("Outbox.ack")(function* (input: { readonly id: string }, actor) {
    const store = yield* Store
    const stamp = { at: yield* now, actor }
    // What no message can have as its id is answered like one that is not there.
    const id = /^[1-9]\d{0,14}$/.test(input.id) ? Number(input.id) : 0
    const found = yield* store.outbox.ack(id, stamp)
    if (Option.isNone(found)) return yield* notFound(input.id)
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

// Of a row that another program acknowledged without saying who it was.
const UNKNOWN: Actor = { surface: "bridge", name: "unknown" }

const notFound = (id: string) =>
  new Refusal({
    code: "message_not_found",
    message: `there is no message ${id.length > 200 ? `${id.slice(0, 200)}…` : id} in the outbox`,
    hint: "agent-runtime outbox-list --all shows the newest ones"
  })
