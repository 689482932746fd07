import { Effect, Option } from "effect"
import { readCursor } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { isUuid, LAST } from "./idCursor.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

/** Where a task stands in a list by falling time and id. */
export interface Place {
  readonly createdAt: string
  readonly taskId: string
}

/** Before every row of such a list, whatever stands in its time: what an absent cursor means. */
export const NEWEST: Place = { createdAt: LAST, taskId: LAST }

/** The same of a list by rising time and id. */
export const OLDEST: Place = { createdAt: "", taskId: "" }

const THERE = statement("SELECT 1 FROM tasks WHERE task_id = :taskId AND created_at = :createdAt")
const KNOWN = statement("SELECT 1 FROM tasks WHERE task_id = :taskId")

const WIRE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

export const isWireTime = (text: string): boolean => WIRE_TIME.test(text) && !Number.isNaN(Date.parse(text))

export const placeOf = (row: Row): Place => ({
  createdAt: String(row.created_at),
  taskId: String(row.task_id)
})

/** The place in a cursor of two parts; none for any other text. */
export const placeIn = (text: string): Option.Option<Place> =>
  Option.flatMap(readCursor(text), ([createdAt, taskId, ...more]) =>
    createdAt === undefined || taskId === undefined || more.length > 0
      ? Option.none()
      : Option.some({ createdAt, taskId })
  )

/**
 * Whether a list can have given a place: its parts have the form that the wire has, or, as an adopted task has an id of
 * another form and another program may damage a time, its task is there.
 */
export const isGiven = (sqlite: Sqlite["Type"], place: Place): Effect.Effect<boolean, StoreUnavailable> =>
  isWireTime(place.createdAt) && isUuid(place.taskId)
    ? Effect.succeed(true)
    : Effect.map(sqlite.rows(THERE, { ...place }), (rows) => rows.length > 0)

/** The same of an id alone. */
export const isKnownId = (
  sqlite: Sqlite["Type"],
  taskId: string
): Effect.Effect<boolean, StoreUnavailable> =>
  isUuid(taskId)
    ? Effect.succeed(true)
    : Effect.map(sqlite.rows(KNOWN, { taskId }), (rows) => rows.length > 0)
