import { Effect, Either, Option } from "effect"
import { OutboxMessage } from "../../src/domain/OutboxMessage.ts"
import type { Outbox } from "../../src/store/Outbox.ts"
import { json, stamped, time } from "./columns.ts"
import { pageById, readIdCursor } from "./idCursor.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const ADD = statement(`
  INSERT INTO outbox (task_id, attempt_id, message_json, created_at)
  VALUES (:taskId, :attemptId, :message, :at) RETURNING id`)
const LIST = statement(`
  SELECT * FROM outbox WHERE acked_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit`)
const LIST_ALL = statement("SELECT * FROM outbox WHERE id < :before ORDER BY id DESC LIMIT :limit")
const OF_TASK = statement("SELECT * FROM outbox WHERE task_id = :taskId ORDER BY id DESC LIMIT :limit")
const FIND = statement("SELECT * FROM outbox WHERE id = :id")
const ACK = statement(`
  UPDATE outbox SET acked_at = :at, acked_by_json = :actor WHERE id = :id AND acked_at IS NULL RETURNING *`)

const read = reader("outbox", "id", OutboxMessage)
// A message that does not decode is shown with what is wrong, so that its bridge can acknowledge it.
const salvaged = salvager(OutboxMessage, { task_id: "unreadable", created_at: EPOCH }, (problem) => ({
  message: { damaged: problem }
}))
const shown = (row: Row): OutboxMessage =>
  Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

export const make = (sqlite: Sqlite["Type"]): Outbox => ({
  add: Effect.fn("Outbox.add")((message, stamp) =>
    sqlite.transact(
      "Outbox.add",
      Effect.gen(function* () {
        const added = yield* sqlite.rows(ADD, {
          ...message,
          message: json(message.message),
          at: time(stamp.at)
        })
        yield* appendEvent(sqlite, "outbox_added", message, { outbox_id: Number(added[0]!.id) }, stamp)
      })
    )
  ),
  ofTask: Effect.fn("Outbox.ofTask")((taskId, limit) =>
    Effect.map(sqlite.rows(OF_TASK, { taskId, limit }), (rows) => rows.map(shown))
  ),
  list: Effect.fn("Outbox.list")(({ after, all, limit }) =>
    Effect.gen(function* () {
      const before = Option.match(after, {
        onNone: () => Option.some(Number.MAX_SAFE_INTEGER),
        onSome: readIdCursor
      })
      if (Option.isNone(before)) return Option.none()
      const rows = yield* sqlite.rows(all ? LIST_ALL : LIST, { before: before.value, limit: limit + 1 })
      const page = pageById(rows, limit, (row) => Number(row.id))
      return Option.some({ messages: page.shown.map(shown), next: page.next })
    })
  ),
  ack: Effect.fn("Outbox.ack")((id, stamp) =>
    sqlite.transact(
      "Outbox.ack",
      Effect.gen(function* () {
        const acked = (yield* sqlite.rows(ACK, { id, ...stamped(stamp) }))[0]
        const row = acked ?? (yield* sqlite.rows(FIND, { id }))[0]
        if (row === undefined) return Option.none()
        const message = shown(row)
        if (acked !== undefined)
          yield* appendEvent(sqlite, "outbox_acked", { taskId: message.taskId }, { outbox_id: id }, stamp)
        return Option.some({ acked: acked !== undefined, message })
      })
    )
  )
})
