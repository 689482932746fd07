import { Effect, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { time } from "./columns.ts"
import { idReader } from "./rows.ts"
import { append } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"
import type { Writing } from "./writing.ts"

// A task runs by an attempt, which is opened and ended with it. Where none is open somebody has changed one of the two.

const NOBODY = `NOT EXISTS (
    SELECT 1 FROM attempts WHERE attempts.task_id = tasks.task_id AND attempts.status = 'running')`
// What runs is among the few that are to be listed: no other index has it, and none is walked.
const RUNNING_ALONE = statement(`
  SELECT task_id FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND status = 'running' AND ${NOBODY} LIMIT 100`)
const RUNS_ALONE = statement(`
  SELECT 1 FROM tasks WHERE task_id = :taskId AND status = 'running' AND ${NOBODY}`)
const SET_ASIDE = statement(`
  UPDATE tasks SET status = 'blocked', ready = 0, updated_at = :at, last_error = :error, to_list = 1
  WHERE task_id = :taskId AND status = 'running' AND ${NOBODY}`)
const CANCEL = statement(`
  UPDATE tasks SET status = 'operator_canceled', ready = 0, updated_at = :at, finished_at = :at,
    cancel_requested_at = NULL, cancel_json = NULL, to_list = 1
  WHERE task_id = :taskId AND status = 'running' AND ${NOBODY} RETURNING *`)

type Sql = Sqlite["Type"]

const taskIdOf = idReader(TaskId)

/** See Tasks.unattended. */
export const unattended = (sqlite: Sql) =>
  Effect.map(sqlite.rows(RUNNING_ALONE), (rows) => rows.map((row) => taskIdOf(row.task_id)))

/** See Tasks.isUnattended. */
export const isUnattended = (sqlite: Sql, taskId: TaskId) =>
  Effect.map(sqlite.rows(RUNS_ALONE, { taskId }), (rows) => rows.length > 0)

/** See Tasks.setUnattendedAside. */
export const setAside = (taskId: TaskId, problem: string, stamp: Stamp) => (writing: Writing) => {
  const values = { taskId, at: time(stamp.at), error: `this record is damaged: ${problem}` }
  if (writing.changed(SET_ASIDE, values) === 0) return false
  append(writing, "record_quarantined", { taskId }, { table: "tasks", problem }, stamp)
  return true
}

/** Cancels a task that nobody would ever stop, as nothing of it runs: the row then, none where something does. */
export const cancel =
  (taskId: TaskId, reason: Option.Option<string>, stamp: Stamp, told: JsonObject) =>
  (writing: Writing): Option.Option<Row> => {
    const row = writing.rows(CANCEL, { taskId, at: time(stamp.at) })[0]
    if (row === undefined) return Option.none()
    append(
      writing,
      "task_operator_canceled",
      { taskId, workflowId: typeof row.workflow_id === "number" ? row.workflow_id : null },
      { from: "running", reason: Option.getOrNull(reason), ...told },
      stamp
    )
    return Option.some(row)
  }
