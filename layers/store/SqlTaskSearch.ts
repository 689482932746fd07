import { Effect, Option } from "effect"
import type { TaskStatus } from "../../src/domain/Task.ts"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Page, TaskFilter, TaskPage } from "../../src/store/TaskLists.ts"
import { LAST } from "./idCursor.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { MOST_EXAMINED } from "./SqlTaskList.ts"
import { shownTasks } from "./SqlTaskRows.ts"
import { statement } from "./statement.ts"
import { isGiven, isKnownId, NEWEST, placeOf } from "./taskPlace.ts"
import { matcher, termsOf } from "./words.ts"

/** Rows that are looked at in one go; other work is done in between. */
const STRIDE = 1_000

const COLUMNS = "task_id, created_at, kind, source, status, subject"

const BY_ID = statement(`
  SELECT ${COLUMNS} FROM tasks WHERE task_id >= :prefix AND task_id < :end AND task_id < :before
  ORDER BY task_id DESC LIMIT :limit`)
const OF_ALL = statement(`
  SELECT ${COLUMNS} FROM tasks_by_age WHERE (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const OF_STATUS = statement(`
  SELECT ${COLUMNS} FROM tasks_by_status WHERE status = :value AND (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const of = (column: "kind" | "source") =>
  statement(`
  SELECT ${COLUMNS} FROM tasks_by_age WHERE ${column} = :value AND (created_at, task_id) < (:createdAt, :taskId)
  ORDER BY created_at DESC, task_id DESC LIMIT :limit`)
const OF = { status: OF_STATUS, kind: of("kind"), source: of("source") }

type Sql = Sqlite["Type"]

/** Where the page before ended: first come the ids, then the words. */
type Place =
  | { readonly _tag: "Ids"; readonly before: string }
  | { readonly _tag: "Words"; readonly createdAt: string; readonly taskId: string }

const START: Place = { _tag: "Ids", before: LAST }
const WORDS: Place = { _tag: "Words", ...NEWEST }

const cursor = (place: Place): string =>
  cursorOf(place._tag === "Ids" ? ["ids", place.before] : ["words", place.createdAt, place.taskId])

const placeIn = (text: string): Option.Option<Place> =>
  Option.flatMap(readCursor(text), ([tag, first, second, ...more]) => {
    if (first === undefined || more.length > 0) return Option.none()
    if (tag === "ids" && second === undefined) return Option.some<Place>({ _tag: "Ids", before: first })
    return tag === "words" && second !== undefined
      ? Option.some<Place>({ _tag: "Words", createdAt: first, taskId: second })
      : Option.none()
  })

const idOf = (row: Row): string => String(row.task_id)

/** Whether the search for these words can have given a place. */
const isGivenFor = (sqlite: Sql, words: string, place: Place): Effect.Effect<boolean, StoreUnavailable> => {
  if (place._tag === "Ids")
    return place.before.startsWith(words) ? isKnownId(sqlite, place.before) : Effect.succeed(false)
  const isBegin = place.createdAt === LAST && place.taskId === LAST
  return isBegin ? Effect.succeed(true) : isGiven(sqlite, place)
}

const fits = ({ kind, source, status }: TaskFilter) => {
  const statuses: ReadonlySet<string> = new Set<TaskStatus>(status)
  return (row: Row): boolean =>
    (statuses.size === 0 || statuses.has(String(row.status))) &&
    (Option.isNone(kind) || row.kind === kind.value) &&
    (Option.isNone(source) || row.source === source.value)
}

/** The rows after a place of the walk, along the index of the filter that leaves most out. */
const walk = (sqlite: Sql, { kind, source, status }: TaskFilter) => {
  const [column, value] = Option.isSome(source)
    ? (["source", source.value] as const)
    : Option.isSome(kind)
      ? (["kind", kind.value] as const)
      : (["status", status.length === 1 ? status[0] : undefined] as const)
  return (place: Extract<Place, { _tag: "Words" }>, limit: number) => {
    const from = { createdAt: place.createdAt, taskId: place.taskId, limit }
    return value === undefined ? sqlite.rows(OF_ALL, from) : sqlite.rows(OF[column], { ...from, value })
  }
}

interface Hit {
  readonly row: Row
  readonly place: Place
}

/** What was found; `end` is where the search stands when it had read its most, none when the rows ended. */
interface Found {
  readonly hits: ReadonlyArray<Hit>
  readonly end: Option.Option<Place>
}

/** Reads on from a place until `wanted` are found, the rows end, or as many were read as one page may read. */
const look = (
  sqlite: Sql,
  filter: TaskFilter,
  words: string,
  wanted: number,
  start: Place
): Effect.Effect<Found, StoreUnavailable> =>
  Effect.gen(function* () {
    const isMatch = matcher(termsOf(words))
    const isFit = fits(filter)
    const next = walk(sqlite, filter)
    const hits: Array<Hit> = []
    let place: Place = start
    for (let left = MOST_EXAMINED; left > 0 && hits.length < wanted; ) {
      const limit = Math.min(STRIDE, left)
      const rows: ReadonlyArray<Row> =
        place._tag === "Ids"
          ? yield* sqlite.rows(BY_ID, { prefix: words, end: `${words}${LAST}`, before: place.before, limit })
          : yield* next(place, limit)
      for (const row of rows) {
        const id = idOf(row)
        const isHit = place._tag === "Ids" || (isMatch(row) && !id.startsWith(words))
        place = place._tag === "Ids" ? { _tag: "Ids", before: id } : { _tag: "Words", ...placeOf(row) }
        if (isHit && isFit(row)) hits.push({ row, place })
      }
      left -= rows.length
      if (rows.length < limit) {
        if (place._tag === "Words") return { hits, end: Option.none() }
        place = WORDS
      }
      yield* Effect.yieldNow()
    }
    return { hits, end: Option.some(place) }
  })

/** See Tasks.search. */
export const search = (
  sqlite: Sql,
  filter: TaskFilter,
  given: string,
  page: Page
): Effect.Effect<Option.Option<TaskPage>, StoreUnavailable> =>
  Effect.gen(function* () {
    const start = Option.match(page.after, { onNone: () => Option.some(START), onSome: placeIn })
    if (Option.isNone(start)) return Option.none()
    const words = given.trim()
    if (Option.isSome(page.after) && !(yield* isGivenFor(sqlite, words, start.value))) return Option.none()
    const { end, hits } = yield* look(sqlite, filter, words, page.limit + 1, start.value)
    const shown = hits.slice(0, page.limit)
    const last = shown.at(-1)
    const isFull = hits.length > page.limit && last !== undefined
    const rows = shown.map(({ row }) => row)
    return Option.some({
      tasks: yield* shownTasks(sqlite, rows, "shortened", fits(filter)),
      next: isFull ? Option.some(cursor(last.place)) : Option.map(end, cursor),
      partial: !isFull && Option.isSome(end)
    })
  })
