import { json } from "./columns.ts"
import { statement } from "./statement.ts"
import type { Writing } from "./writing.ts"

// What only lists ask for (tasks by age, kind, source, status and end, attempts by start, events by task) is not kept
// by each move: it would write three pages where one is enough. The events mark the time: with each 256th the
// transaction that appends it takes over what has changed since, in which neighbours share pages. Until then the rest
// is read beside the indexes, by the views of the schema.

/** So many events make a batch; each can have changed one task, so that the rest is no longer than this. */
const EVERY = 256

/** Where another program has left more than that: so many thousands at once, which is a fifth of a second. */
const MOST_BATCHES = 10

const LIST_TASKS = statement(`
  UPDATE tasks SET listed_status = status, to_list = 0 WHERE rowid IN (
    SELECT rowid FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND status <> 'running' LIMIT 1000)
  RETURNING task_id`)
const LIST_ATTEMPTS = statement(`
  UPDATE attempts SET listed = 1 WHERE listed = 0 AND task_id IN (SELECT value FROM json_each(:ids))`)
const LIST_EVENTS = statement(`
  INSERT INTO events_of_tasks (task_id, id)
  SELECT task_id, id FROM run_events
  WHERE id > (SELECT id FROM event_marks WHERE mark = 'listed') AND id <= :last AND task_id IS NOT NULL`)
const LISTED = statement("UPDATE event_marks SET id = :last WHERE mark = 'listed' AND id < :last")

/** Whether the event with this id ends a batch. */
export const isListing = (id: number): boolean => id % EVERY === 0

/** Takes over what has changed up to an event; a part of the transaction that appends it. */
export const list = (writing: Writing, last: number): void => {
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const ids = writing.rows(LIST_TASKS).map((row) => row.task_id)
    if (ids.length > 0) writing.changed(LIST_ATTEMPTS, { ids: json(ids) })
    if (ids.length < 1_000) break
  }
  writing.changed(LIST_EVENTS, { last })
  writing.changed(LISTED, { last })
}
