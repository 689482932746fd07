import { Effect, Option, Schema } from "effect"
import { Actor } from "../../src/domain/Actor.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

/** The events that move a task, in the words of a sentence that ends with a time. */
const DONE: ReadonlyMap<string, string> = new Map([
  ["task_enqueued", "queued it"],
  ["task_claimed", "claimed it"],
  ["task_retry_scheduled", "put it off"],
  ["rate_limit_rescheduled", "put it off"],
  ["boot_sweep_reclaimed", "put it back"],
  ["task_finished", "finished it"],
  ["task_operator_canceled", "canceled it"],
  ["task_cancel_requested", "asked to cancel it"],
  ["task_retried", "retried it"],
  ["record_quarantined", "set it aside"]
])

const MOVES =
  "'task_enqueued', 'task_claimed', 'task_retry_scheduled', 'rate_limit_rescheduled', 'boot_sweep_reclaimed', 'task_finished', 'task_operator_canceled', 'task_cancel_requested', 'task_retried', 'record_quarantined'"
const LAST_MOVE = statement(`
  SELECT id, event_type, actor_json, created_at FROM events_by_task
  WHERE task_id = :taskId AND event_type IN (${MOVES}) ORDER BY id DESC LIMIT 1`)

const decodeActor = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(Actor)))

/**
 * Who moved a task last, what that was and when: `ada (cli) canceled it at 2026-04-29T07:01:02.003Z`. None where
 * its history is no longer kept.
 */
export const lastMove = (sqlite: Sqlite["Type"], taskId: string) =>
  Effect.map(sqlite.rows(LAST_MOVE, { taskId }), (rows) =>
    Option.map(Option.fromNullable(rows[0]), (row) => {
      const who = Option.match(decodeActor()(row.actor_json), {
        onNone: () => "somebody",
        onSome: ({ name, surface }) => `${name} (${surface})`
      })
      return `${who} ${DONE.get(String(row.event_type)) ?? "moved it"} at ${row.created_at}`
    })
  )
