import { Effect } from "effect"
import type { Task } from "../../src/domain/Task.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Payloads } from "../../src/store/TaskLists.ts"
import { json } from "./columns.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"
import { lenient } from "./taskRows.ts"

// The walks of lists carry what decides who is on a page and in which order. What a page shows is read afterwards, of
// its own tasks alone: a payload may have a mebibyte, and a list shows the beginning of it.

// Its bytes stand in the row's head: what is longer than the bound is not read to be measured.
const SHOWN = statement(`
  SELECT task_id, kind, source, subject, description, priority, requested_profile, requested_adapter, requested_model,
    max_attempts, dedupe_key, status, attempt_count, created_at, updated_at, available_at, started_at, finished_at,
    outcome_json, last_error, parent_task_id, workflow_id, untrusted, round, round_started_at, not_counted, known_json,
    note, cancel_json, replay_of, workflow_state, generation, root_task_id, trace_parent,
    created_by_json,
    CASE WHEN octet_length(payload_json) <= :whole THEN payload_json WHEN :whole < 0 THEN '{}'
      ELSE json_object('shortened', json('true'), 'characters', length(payload_json),
        'beginning', substr(payload_json, 1, :beginning)) END AS payload_json
  FROM tasks WHERE task_id IN (SELECT value FROM json_each(:ids))`)

/** Bytes of a payload that is shown whole; below 0 none is. */
const MOST_WHOLE: Readonly<Record<Payloads, number>> = {
  whole: Number.MAX_SAFE_INTEGER,
  shortened: 2_048,
  none: -1
}
/** Characters of a longer one that stand in its place. */
const BEGINNING = 500

/**
 * The tasks of the rows of a walk, in their order. One that was removed since, or that fits no more, is left out, as
 * from a walk a moment later.
 */
export const shownTasks = (
  sqlite: Sqlite["Type"],
  walked: ReadonlyArray<Row>,
  payloads: Payloads,
  fits: (row: Row) => boolean = () => true
): Effect.Effect<ReadonlyArray<Task>, StoreUnavailable> => {
  const ids = walked.map((row) => String(row.task_id))
  const values = { ids: json(ids), whole: MOST_WHOLE[payloads], beginning: BEGINNING }
  return Effect.map(sqlite.rows(SHOWN, values), (rows) => {
    const byId = new Map(rows.map((row) => [String(row.task_id), row]))
    return ids.flatMap((id) => {
      const row = byId.get(id)
      return row === undefined || !fits(row) ? [] : [lenient(row).task]
    })
  })
}
