import { type DateTime, Effect } from "effect"
import type { Task } from "../../src/domain/Task.ts"
import { json, time } from "./columns.ts"
import { dueBefore } from "./SqlDue.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

// Walks of the ready index from each lane's best task on, ended by the limit: the cost is that of the answer.
const HIGHER = statement(`
  SELECT count(*) AS n FROM (
    SELECT 1 FROM json_each(:lanes) AS open CROSS JOIN tasks INDEXED BY tasks_ready
      ON ready = 1 AND lane = open.value AND priority > :priority
    LIMIT 1001)`)
const OLDER = statement(`
  SELECT count(*) AS n FROM (
    SELECT 1 FROM json_each(:lanes) AS open CROSS JOIN tasks INDEXED BY tasks_ready
      ON ready = 1 AND lane = open.value AND priority = :priority
        AND (created_at, task_id) < (:createdAt, :taskId)
    LIMIT 1001)`)

/** So far a count goes; one more stands for all that is beyond. */
const MOST = 1_001

/** See Tasks.before. */
export const before = (
  sqlite: Sqlite["Type"],
  task: Pick<Task, "taskId" | "priority" | "createdAt">,
  lanes: ReadonlyArray<string>,
  now: DateTime.Utc
) =>
  Effect.gen(function* () {
    const { priority, taskId } = task
    const values = { lanes: json(lanes), priority, createdAt: time(task.createdAt), taskId }
    const due = yield* dueBefore(sqlite, values, time(now))
    const higher = Number((yield* sqlite.rows(HIGHER, values))[0]?.n)
    const older = Number((yield* sqlite.rows(OLDER, values))[0]?.n)
    return { higher: Math.min(MOST, higher + due.higher), older: Math.min(MOST, older + due.older) }
  })
