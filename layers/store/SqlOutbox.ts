import { Effect, Either, Option } from "effect"
import { MessageId } from "../../src/domain/Ids.ts"
import { OutboxMessage } from "../../src/domain/OutboxMessage.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Outbox } from "../../src/store/Outbox.ts"
import { canonicalHash } from "./canonicalHash.ts"
import { afterAll, json, stamped, time } from "./columns.ts"
import { pageById, startOf } from "./idCursor.ts"
import { EPOCH, idReader, reader, salvager } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const ADD = statement(`
  INSERT INTO outbox (id, task_id, attempt_id, message_json, message_sha256, created_at)
  VALUES (:id, :taskId, :attemptId, :message, :hash, :at)`)
const LIST = statement(`
  SELECT * FROM outbox WHERE acked_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit`)
const LIST_ALL = statement("SELECT * FROM outbox WHERE id < :before ORDER BY id DESC LIMIT :limit")
const PUT_OUT_BEFORE = statement(`
  SELECT id FROM outbox WHERE task_id = :taskId AND message_sha256 = :hash AND attempt_id IS NOT :attemptId LIMIT 1`)
const STARTING_WITH = statement(
  "SELECT id FROM outbox WHERE id >= :prefix AND id < :end ORDER BY id LIMIT :limit"
)
const FIND = statement("SELECT * FROM outbox WHERE id = :id")
const ACK = statement(`
  UPDATE outbox SET acked_at = :at, acked_by_json = :actor WHERE id = :id AND acked_at IS NULL RETURNING *`)

const BY_ID = { mark: "outbox", find: FIND }

const messageIdOf = idReader(MessageId)
const read = reader("outbox", "id", OutboxMessage)
// A message that does not decode is shown with what is wrong, so that its bridge can acknowledge it.
const salvaged = salvager(
  OutboxMessage,
  { id: "unreadable", task_id: "unreadable", created_at: EPOCH },
  (problem) => ({
    message: { damaged: problem }
  })
)
const shown = (row: Row): OutboxMessage =>
  Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

export const make = (sqlite: Sqlite["Type"]): Outbox => ({
  add: traced("Outbox.add")((message, stamp) =>
    sqlite.transact(
      "Outbox.add",
      Effect.gen(function* () {
        yield* sqlite.rows(ADD, {
          ...message,
          message: json(message.message),
          hash: canonicalHash(message.message),
          at: time(stamp.at)
        })
        yield* appendEvent(sqlite, "outbox_added", message, { outbox_id: message.id }, stamp)
      })
    )
  ),
  putOutBefore: traced("Outbox.putOutBefore")(({ attemptId, message, taskId }) =>
    Effect.map(sqlite.rows(PUT_OUT_BEFORE, { taskId, attemptId, hash: canonicalHash(message) }), ([row]) =>
      Option.map(Option.fromNullable(row), ({ id }) => messageIdOf(id))
    )
  ),
  list: traced("Outbox.list")(({ after, all, limit }) =>
    Effect.gen(function* () {
      const before = yield* startOf(sqlite, BY_ID, after)
      if (Option.isNone(before)) return Option.none()
      const rows = yield* sqlite.rows(all ? LIST_ALL : LIST, { before: before.value, limit: limit + 1 })
      const page = pageById(BY_ID, rows, limit, (row) => String(row.id))
      return Option.some({ messages: page.shown.map(shown), next: page.next })
    })
  ),
  startingWith: traced("Outbox.startingWith")((prefix, limit) =>
    Effect.map(sqlite.rows(STARTING_WITH, { prefix, end: afterAll(prefix), limit }), (rows) =>
      rows.map((row) => messageIdOf(row.id))
    )
  ),
  ack: traced("Outbox.ack")((id, stamp) =>
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
