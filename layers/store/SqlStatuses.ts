import { TASK_STATUSES } from "../../src/domain/TaskStatuses.ts"
import { statement } from "./statement.ts"

// Several statuses are several walks, for an IN would sort all that they have. They are one statement, so that they see
// one moment: a task that moves on between two of them would be met by both, or by neither.

/** A walk for each status that is asked for; of the others it is found out before anything is read. */
const each = (walk: (isOne: string) => string): string =>
  TASK_STATUSES.map(
    (status) => `SELECT * FROM (${walk(`instr(:statuses, '"${status}"') > 0 AND status = '${status}'`)})`
  ).join("\nUNION ALL ")

const WALKED = "task_id, created_at, status"
const PLACE = "(created_at, task_id) < (:createdAt, :taskId)"
const NEWEST_FIRST = "ORDER BY created_at DESC, task_id DESC"

const LIST = each(
  (isOne) => `
  SELECT ${WALKED} FROM tasks_by_status WHERE ${isOne} AND ${PLACE} ${NEWEST_FIRST} LIMIT :limit`
)
const FILTER = each(
  (isOne) => `
  SELECT ${WALKED} FROM (
    SELECT created_at, task_id, status, kind, source FROM tasks_by_status WHERE ${isOne} AND ${PLACE} ${NEWEST_FIRST} LIMIT -1) AS walked
  WHERE (:kind IS NULL OR walked.kind = :kind) AND (:source IS NULL OR walked.source = :source)
  LIMIT :limit`
)

/** The texts, for whoever looks how they are carried out. */
export const TEXTS = { LIST, FILTER } as const

/** The newest tasks of each of these statuses (JSON) before a place. */
export const OF_STATUSES = statement(LIST)

/** Those of them that are of a kind, a source or both: the walks may be as long as there are tasks. */
export const OF_STATUSES_AND = statement(FILTER)
