import { type DateTime, Effect, Option } from "effect"
import { type TaskStatus, TERMINAL } from "../../src/domain/Task.ts"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Page } from "../../src/store/TaskLists.ts"
import type { Tasks } from "../../src/store/Tasks.ts"
import { time } from "./columns.ts"
import { pageFrom } from "./idCursor.ts"
import { bestDue, byTurn } from "./SqlDue.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { lanes } from "./SqlReady.ts"
import { shownTasks } from "./SqlTaskRows.ts"
import { type Statement, statement } from "./statement.ts"
import { isKnownId, isWireTime, NEWEST, OLDEST, type Place } from "./taskPlace.ts"

// A seek for each lane; what is read beyond the answer is a page of each of the others.
const OF_LANE = statement(`
  SELECT task_id, priority, created_at FROM tasks INDEXED BY tasks_ready WHERE ready = 1 AND lane = :lane
  ORDER BY priority DESC, created_at, task_id LIMIT :limit`)
const LATER = statement(`
  SELECT task_id FROM tasks INDEXED BY tasks_delayed
  WHERE ready = 0 AND status IN ('pending', 'retryable_failure') AND available_at > :now
  ORDER BY available_at, task_id LIMIT :limit`)
const ENDED = statement(`
  SELECT task_id, finished_at FROM tasks_by_end WHERE (finished_at, task_id) < (:finishedAt, :taskId)
  ORDER BY finished_at DESC, task_id DESC LIMIT :limit`)
// A task that is blocked changes in nothing until it is moved on: it was changed last when it became so.
const BLOCKED = statement(`
  SELECT task_id, updated_at FROM blocked_by_age WHERE (updated_at, task_id) > (:updatedAt, :taskId)
  ORDER BY updated_at, task_id LIMIT :limit`)

type Sql = Sqlite["Type"]

const ENDED_THERE = statement("SELECT 1 FROM tasks WHERE task_id = :taskId AND finished_at = :at")
const BLOCKED_THERE = statement("SELECT 1 FROM tasks WHERE task_id = :taskId AND updated_at = :at")

const isOf = (statuses: ReadonlyArray<TaskStatus>) => {
  const names: ReadonlySet<string> = new Set(statuses)
  return (row: Row): boolean => names.has(String(row.status))
}

/** A list by a moment and the id. `mark` stands in its cursors, so that another list's is told from them. */
interface ByMoment {
  readonly mark: string
  readonly column: "finished_at" | "updated_at"
  /** Before its first row. */
  readonly first: Place
  /** Whether a task stands there. */
  readonly there: Statement
  /** Whether a row still is of it. */
  readonly fits: (row: Row) => boolean
}

const ENDED_LIST: ByMoment = {
  mark: "ended",
  column: "finished_at",
  first: NEWEST,
  there: ENDED_THERE,
  fits: isOf(TERMINAL)
}
const BLOCKED_LIST: ByMoment = {
  mark: "blocked",
  column: "updated_at",
  first: OLDEST,
  there: BLOCKED_THERE,
  fits: isOf(["blocked"])
}

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
    return yield* shownTasks(sqlite, [...due, ...later], "shortened", isOf(["pending", "retryable_failure"]))
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

const pageOf = (sqlite: Sql, rows: ReadonlyArray<Row>, limit: number, { column, fits, mark }: ByMoment) => {
  const { next, shown } = pageFrom(rows, limit, (row) =>
    cursorOf([mark, String(row[column]), String(row.task_id)])
  )
  return Effect.map(shownTasks(sqlite, shown, "shortened", fits), (tasks) => Option.some({ tasks, next }))
}

/** See Tasks.ended. */
export const ended = (sqlite: Sql, { after, limit }: Page): ReturnType<Tasks["ended"]> =>
  Effect.gen(function* () {
    const from = yield* startOf(sqlite, ENDED_LIST, after)
    if (Option.isNone(from)) return Option.none()
    const { createdAt: finishedAt, taskId } = from.value
    const rows = yield* sqlite.rows(ENDED, { finishedAt, taskId, limit: limit + 1 })
    return yield* pageOf(sqlite, rows, limit, ENDED_LIST)
  })

/** See Tasks.blocked. */
export const blocked = (sqlite: Sql, { after, limit }: Page): ReturnType<Tasks["blocked"]> =>
  Effect.gen(function* () {
    const from = yield* startOf(sqlite, BLOCKED_LIST, after)
    if (Option.isNone(from)) return Option.none()
    const { createdAt: updatedAt, taskId } = from.value
    const rows = yield* sqlite.rows(BLOCKED, { updatedAt, taskId, limit: limit + 1 })
    return yield* pageOf(sqlite, rows, limit, BLOCKED_LIST)
  })
