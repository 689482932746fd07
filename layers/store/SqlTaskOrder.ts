import { type DateTime, Effect, Option } from "effect"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Tasks } from "../../src/store/Tasks.ts"
import { time } from "./columns.ts"
import { pageFrom } from "./idCursor.ts"
import { bestDue, byTurn } from "./SqlDue.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { lanes } from "./SqlReady.ts"
import { type Statement, statement } from "./statement.ts"
import { isKnownId, isWireTime, NEWEST, OLDEST, type Place } from "./taskPlace.ts"
import { lenient } from "./taskRows.ts"

// A seek for each lane; what is read beyond the answer is a page of each of the others.
const OF_LANE = statement(`
  SELECT * FROM tasks INDEXED BY tasks_ready WHERE ready = 1 AND lane = :lane
  ORDER BY priority DESC, created_at, task_id LIMIT :limit`)
const LATER = statement(`
  SELECT * FROM tasks INDEXED BY tasks_delayed
  WHERE ready = 0 AND status IN ('pending', 'retryable_failure') AND available_at > :now
  ORDER BY available_at, task_id LIMIT :limit`)
const ENDED = statement(`
  SELECT * FROM tasks_by_end WHERE (finished_at, task_id) < (:finishedAt, :taskId)
  ORDER BY finished_at DESC, task_id DESC LIMIT :limit`)
// A task that is blocked changes in nothing until it is moved on: it was changed last when it became so.
const BLOCKED = statement(`
  SELECT * FROM blocked_by_age WHERE (updated_at, task_id) > (:updatedAt, :taskId)
  ORDER BY updated_at, task_id LIMIT :limit`)

type Sql = Sqlite["Type"]

const ENDED_THERE = statement("SELECT 1 FROM tasks WHERE task_id = :taskId AND finished_at = :at")
const BLOCKED_THERE = statement("SELECT 1 FROM tasks WHERE task_id = :taskId AND updated_at = :at")

/** A list by a moment and the id. `mark` stands in its cursors, so that another list's is told from them. */
interface ByMoment {
  readonly mark: string
  readonly column: "finished_at" | "updated_at"
  /** Before its first row. */
  readonly first: Place
  /** Whether a task stands there. */
  readonly there: Statement
}

const ENDED_LIST: ByMoment = {
  mark: "ended",
  column: "finished_at",
  first: NEWEST,
  there: ENDED_THERE
}
const BLOCKED_LIST: ByMoment = {
  mark: "blocked",
  column: "updated_at",
  first: OLDEST,
  there: BLOCKED_THERE
}

const taskOf = (row: Row) => lenient(row).task

/** See Tasks.upcoming. */
export const upcoming = (sqlite: Sql, limit: number, at: DateTime.Utc): ReturnType<Tasks["upcoming"]> =>
  Effect.gen(function* () {
    const now = time(at)
    const found = new Map<string, Row>()
    const add = (rows: ReadonlyArray<Row>) => {
      for (const row of rows) found.set(String(row.task_id), row)
    }
    // First what is not ready: what becomes so meanwhile is found twice, and not missed.
    add(yield* bestDue(sqlite, limit, now))
    for (const { key } of yield* lanes(sqlite)) add(yield* sqlite.rows(OF_LANE, { lane: key, limit }))
    const due = [...found.values()].sort(byTurn).slice(0, limit)
    const later = due.length === limit ? [] : yield* sqlite.rows(LATER, { now, limit: limit - due.length })
    return [...due, ...later].map(taskOf)
  })

// An id that is known is enough: a task that was begun anew since has lost its place, and the list goes on after it.
const isGiven = (sqlite: Sql, { there }: ByMoment, at: string, taskId: string) =>
  isWireTime(at)
    ? isKnownId(sqlite, taskId)
    : Effect.map(sqlite.rows(there, { taskId, at }), (rows) => rows.length > 0)

/** Where a page begins; none for a cursor that the list did not give. */
const startOf = (
  sqlite: Sql,
  list: ByMoment,
  after: Option.Option<string>
): Effect.Effect<Option.Option<Place>, StoreUnavailable> =>
  Effect.gen(function* () {
    if (Option.isNone(after)) return Option.some(list.first)
    const [mark, at, taskId, ...more] = Option.getOrElse(readCursor(after.value), () => [])
    if (mark !== list.mark || at === undefined || taskId === undefined || more.length > 0)
      return Option.none()
    return (yield* isGiven(sqlite, list, at, taskId)) ? Option.some({ createdAt: at, taskId }) : Option.none()
  })

const pageOf = (rows: ReadonlyArray<Row>, limit: number, { column, mark }: ByMoment) => {
  const { next, shown } = pageFrom(rows, limit, (row) =>
    cursorOf([mark, String(row[column]), String(row.task_id)])
  )
  return Option.some({ tasks: shown.map(taskOf), next })
}

/** See Tasks.ended. */
export const ended = (
  sqlite: Sql,
  { after, limit }: { readonly limit: number; readonly after: Option.Option<string> }
): ReturnType<Tasks["ended"]> =>
  Effect.gen(function* () {
    const from = yield* startOf(sqlite, ENDED_LIST, after)
    if (Option.isNone(from)) return Option.none()
    const { createdAt: finishedAt, taskId } = from.value
    return pageOf(yield* sqlite.rows(ENDED, { finishedAt, taskId, limit: limit + 1 }), limit, ENDED_LIST)
  })

/** See Tasks.blocked. */
export const blocked = (
  sqlite: Sql,
  { after, limit }: { readonly limit: number; readonly after: Option.Option<string> }
): ReturnType<Tasks["blocked"]> =>
  Effect.gen(function* () {
    const from = yield* startOf(sqlite, BLOCKED_LIST, after)
    if (Option.isNone(from)) return Option.none()
    const { createdAt: updatedAt, taskId } = from.value
    return pageOf(yield* sqlite.rows(BLOCKED, { updatedAt, taskId, limit: limit + 1 }), limit, BLOCKED_LIST)
  })
