import { Effect } from "effect"
import { json } from "./columns.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

// What is due and was not promoted yet, which nobody does while no slot is free. A claim would promote it first, so
// whoever looks at the queue takes it for ready: as many as one claim promotes, and nothing is written for it.

const DUE = `SELECT task_id, lane, priority, created_at FROM tasks INDEXED BY tasks_delayed
    WHERE ready = 0 AND status IN ('pending', 'retryable_failure') AND available_at <= :now
    ORDER BY available_at, task_id LIMIT 1000`
const LANES = statement(`SELECT DISTINCT lane FROM (${DUE})`)
const HEADS = statement(`
  SELECT lane, task_id, priority, created_at FROM (${DUE}) WHERE lane IN (SELECT value FROM json_each(:lanes))`)
const BEST = statement(`
  SELECT task_id, priority, created_at FROM (${DUE}) ORDER BY priority DESC, created_at, task_id LIMIT :limit`)
const HIGHER = statement(`
  SELECT count(*) AS n FROM (${DUE})
  WHERE priority > :priority AND lane IN (SELECT value FROM json_each(:lanes))`)
const OLDER = statement(`
  SELECT count(*) AS n FROM (${DUE})
  WHERE priority = :priority AND (created_at, task_id) < (:createdAt, :taskId)
    AND lane IN (SELECT value FROM json_each(:lanes))`)

type Sql = Sqlite["Type"]

/** The order of claims. */
export const byTurn = (a: Row, b: Row): number => {
  if (a.priority !== b.priority) return Number(b.priority) - Number(a.priority)
  const [left, right] = [a, b].map(({ created_at, task_id }) => `${created_at} ${task_id}`)
  return left! < right! ? -1 : 1
}

/** The lanes of what is due by `now` and was not promoted yet. */
export const dueLanes = (sqlite: Sql, now: string) => sqlite.rows(LANES, { now })

/** What decides the turn of those of some lanes. */
export const dueHeads = (sqlite: Sql, keys: ReadonlyArray<string>, now: string) =>
  sqlite.rows(HEADS, { lanes: json(keys), now })

/** Those that come first among them. */
export const bestDue = (sqlite: Sql, limit: number, now: string) => sqlite.rows(BEST, { limit, now })

/** How many of them come before a task: of higher priority, and of the same but older. */
export const dueBefore = (
  sqlite: Sql,
  values: {
    readonly lanes: string
    readonly priority: number
    readonly createdAt: string
    readonly taskId: string
  },
  now: string
) =>
  Effect.gen(function* () {
    const higher = Number((yield* sqlite.rows(HIGHER, { ...values, now }))[0]?.n)
    const older = Number((yield* sqlite.rows(OLDER, { ...values, now }))[0]?.n)
    return { higher, older }
  })
