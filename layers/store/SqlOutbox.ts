import { Effect } from "effect"
import type { Outbox } from "../../src/store/Outbox.ts"
import { json, time } from "./columns.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const ADD = statement(`
  INSERT INTO outbox (task_id, attempt_id, message_json, created_at)
  VALUES (:taskId, :attemptId, :message, :at) RETURNING id`)

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
  )
})
