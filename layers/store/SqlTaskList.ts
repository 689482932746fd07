import { Effect, Option } from "effect"
import { TaskId } from "../../src/domain/Ids.ts"
import type { TaskStatus } from "../../src/domain/Task.ts"
import { TASK_STATUSES } from "../../src/domain/TaskStatuses.ts"
import { cursorOf } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Candidate, Page, Payloads, TaskFilter, TaskPage } from "../../src/store/TaskLists.ts"
import { json } from "./columns.ts"
import { pageFrom } from "./idCursor.ts"
import { idReader } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { OF_STATUSES, OF_STATUSES_AND } from "./SqlStatuses.ts"
import { shownTasks } from "./SqlTaskRows.ts"
import { statement, type Value } from "./statement.ts"
import { isGiven, NEWEST, type Place, placeIn, placeOf } from "./taskPlace.ts"
import { turn } from "./turn.ts"

/** A page whose filters need two columns examines at most so many rows of one index. */
export const MOST_EXAMINED = 10_000

const WALKED = "task_id, created_at, status"

// One column, or none: a walk along its index meets nothing but what belongs to the page.
const PAGE_OF_ALL = statement(`
  SELECT ${WALKED} FROM tasks_by_age WHERE (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const PAGE_OF_STATUS = statement(`
  SELECT ${WALKED} FROM tasks_by_status WHERE status = :value AND (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const pageOf = (column: "kind" | "source") =>
  statement(`
  SELECT ${WALKED} FROM tasks_by_age WHERE ${column} = :value AND (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const PAGE = { status: PAGE_OF_STATUS, kind: pageOf("kind"), source: pageOf("source") }

// Several columns: a walk along one index as far as a bound, the other columns compared row by row. The rows
// come in the order of the walk, so that LIMIT ends it early.
const filteredIn = (all: "tasks_by_status" | "tasks_by_age", column: "status" | "kind" | "source") =>
  statement(`
  SELECT ${WALKED} FROM (
    SELECT created_at, task_id, status, kind, source FROM ${all}
    WHERE ${column} = :value AND (created_at, task_id) < (:createdAt, :taskId) AND created_at >= :endCreatedAt
      AND (created_at, task_id) >= (:endCreatedAt, :endTaskId)
    ORDER BY created_at DESC, task_id DESC LIMIT -1) AS walked
  WHERE (:kind IS NULL OR walked.kind = :kind) AND (:source IS NULL OR walked.source = :source)
    AND (:statuses IS NULL OR walked.status IN (SELECT value FROM json_each(:statuses)))
  LIMIT :limit`)
const FILTERED = {
  status: filteredIn("tasks_by_status", "status"),
  kind: filteredIn("tasks_by_age", "kind"),
  source: filteredIn("tasks_by_age", "source")
}

// The bound of such a walk; no row where the walk ends by itself.
const endOf = (column: "kind" | "source") =>
  statement(`
  SELECT created_at, task_id FROM tasks_by_age WHERE ${column} = :value AND (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT 1 OFFSET :skipped`)
const END = { kind: endOf("kind"), source: endOf("source") }
const COUNTED = statement(
  "SELECT sum(n) AS n FROM task_counts WHERE status IN (SELECT value FROM json_each(:statuses))"
)

type Sql = Sqlite["Type"]
type Rows = ReadonlyArray<Row>

const cursor = ({ createdAt, taskId }: Place): string => cursorOf([createdAt, taskId])

const newestFirst = (a: Row, b: Row): number => {
  const [left, right] = [placeOf(a), placeOf(b)]
  if (left.createdAt !== right.createdAt) return left.createdAt > right.createdAt ? -1 : 1
  return left.taskId > right.taskId ? -1 : left.taskId < right.taskId ? 1 : 0
}

interface Query {
  readonly statuses: ReadonlyArray<TaskStatus>
  readonly kind: string | null
  readonly source: string | null
  readonly from: Place
  readonly limit: number
}

/** Rows of the page and more, newest first; `end` is the last place examined where that ended the walk. */
interface Found {
  readonly rows: Rows
  readonly end: Option.Option<Place>
}

const whole = (rows: Rows): Found => ({ rows, end: Option.none() })

/** What several walks found, as one. */
const merged = (rows: Rows) => whole([...rows].sort(newestFirst))

const filtered = (
  sqlite: Sql,
  column: keyof typeof FILTERED,
  value: string,
  query: Query,
  end: Option.Option<Place>
) => {
  const { createdAt, taskId } = Option.getOrElse(end, () => ({ createdAt: "", taskId: "" }))
  const values: Record<string, Value> = {
    ...query.from,
    endCreatedAt: createdAt,
    endTaskId: taskId,
    value,
    kind: query.kind,
    source: query.source,
    statuses: query.statuses.length === 0 ? null : json(query.statuses),
    limit: query.limit
  }
  return sqlite.rows(FILTERED[column], values)
}

// The bound is read first: rows that are added meanwhile are newer, and the walk still ends at it.
const bounded = (sqlite: Sql, column: "kind" | "source", value: string, query: Query) =>
  Effect.gen(function* () {
    const last = (yield* sqlite.rows(END[column], { ...query.from, value, skipped: MOST_EXAMINED - 1 }))[0]
    const end = Option.map(Option.fromNullable(last), placeOf)
    return { rows: yield* filtered(sqlite, column, value, query, end), end } satisfies Found
  })

const find = (sqlite: Sql, query: Query): Effect.Effect<Found, StoreUnavailable> =>
  Effect.gen(function* () {
    const { statuses, kind, source, from, limit } = query
    if (kind === null && source === null)
      return statuses.length === 0
        ? whole(yield* sqlite.rows(PAGE_OF_ALL, { ...from, limit }))
        : statuses.length === 1
          ? whole(yield* sqlite.rows(PAGE.status, { ...from, limit, value: statuses[0]! }))
          : merged(yield* sqlite.rows(OF_STATUSES, { ...from, limit, statuses: json(statuses) }))
    if (statuses.length === 0 && (kind === null || source === null)) {
      const of = kind === null ? PAGE.source : PAGE.kind
      return whole(yield* sqlite.rows(of, { ...from, limit, value: kind ?? source }))
    }
    const counted = yield* sqlite.rows(COUNTED, { statuses: json(statuses) })
    if (statuses.length > 0 && Number(counted[0]?.n) <= MOST_EXAMINED)
      return statuses.length === 1
        ? whole(yield* filtered(sqlite, "status", statuses[0]!, query, Option.none()))
        : merged(
            yield* sqlite.rows(OF_STATUSES_AND, { ...from, limit, kind, source, statuses: json(statuses) })
          )
    return source === null
      ? yield* bounded(sqlite, "kind", kind ?? "", query)
      : yield* bounded(sqlite, "source", source, query)
  })

/** A page of rows: as many as were asked for, the cursor of the next one, and whether it ended early. */
const pageOfRows = (
  sqlite: Sql,
  filter: TaskFilter,
  from: Place,
  limit: number
): Effect.Effect<
  { readonly rows: Rows; readonly next: Option.Option<string>; readonly partial: boolean },
  StoreUnavailable
> =>
  Effect.gen(function* () {
    const { rows, end } = yield* find(sqlite, {
      statuses: [...new Set(filter.status)],
      kind: Option.getOrNull(filter.kind),
      source: Option.getOrNull(filter.source),
      from,
      limit: limit + 1
    })
    const { next, shown } = pageFrom(rows, limit, (row) => cursor(placeOf(row)))
    return {
      rows: shown,
      next: Option.orElse(next, () => Option.map(end, cursor)),
      partial: Option.isNone(next) && Option.isSome(end)
    }
  })

/** See Tasks.list. */
export const list = (
  sqlite: Sql,
  filter: TaskFilter,
  page: Page,
  payloads: Payloads = "whole"
): Effect.Effect<Option.Option<TaskPage>, StoreUnavailable> =>
  Effect.gen(function* () {
    const from = Option.match(page.after, { onNone: () => Option.some(NEWEST), onSome: placeIn })
    if (Option.isNone(from)) return Option.none()
    if (Option.isSome(page.after) && !(yield* isGiven(sqlite, from.value))) return Option.none()
    const { next, partial, rows } = yield* pageOfRows(sqlite, filter, from.value, page.limit)
    const statuses: ReadonlySet<string> = new Set(filter.status)
    const fits = (row: Row) => statuses.size === 0 || statuses.has(String(row.status))
    return Option.some({ tasks: yield* shownTasks(sqlite, rows, payloads, fits), next, partial })
  })

const taskIdOf = idReader(TaskId)

/** See Tasks.matching. */
export const matching = (sqlite: Sql, filter: TaskFilter, page: Page) =>
  Effect.gen(function* () {
    yield* turn
    const from = Option.getOrElse(Option.flatMap(page.after, placeIn), () => NEWEST)
    const { next, rows } = yield* pageOfRows(sqlite, filter, from, page.limit)
    const tasks = rows.flatMap((row): ReadonlyArray<Candidate> => {
      const status = TASK_STATUSES.find((one) => one === row.status)
      return status === undefined ? [] : [{ taskId: taskIdOf(row.task_id), status }]
    })
    return { tasks, next }
  })
