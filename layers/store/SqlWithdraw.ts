import { Effect } from "effect"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const WITHDRAW = statement(`
  UPDATE questions SET closed_at = :at WHERE task_id = :taskId AND closed_at IS NULL RETURNING question_id`)
const FORGET = statement("UPDATE questions SET standing = 0 WHERE task_id = :taskId AND standing = 1")

/** Closes the open question of a task, inside the caller's transaction; answers what its event tells of that. */
export const withdraw = (sqlite: Sqlite["Type"], taskId: string, at: string) =>
  Effect.map(
    sqlite.rows(WITHDRAW, { taskId, at }),
    ([row]): JsonObject => (row === undefined ? {} : { withdrawn_question_id: String(row.question_id) })
  )

/** The task is begun anew after its end: what was answered on the way to that end is no longer told to it. */
export const forget = (sqlite: Sqlite["Type"], taskId: string) => sqlite.rows(FORGET, { taskId })
