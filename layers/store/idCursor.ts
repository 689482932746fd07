import { Effect, Option } from "effect"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import type { Statement } from "./statement.ts"

/** A list by falling id. */
export interface ListById {
  /** Stands in its cursors, so that another list's is told from them. */
  readonly mark: string
  /** The row of an `:id`. */
  readonly find: Statement
  /** Whether a text has the form of its ids; that of a UUID where this is left out. */
  readonly isId?: (text: string) => boolean
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a text has the form of the ids that the runtime gives. */
export const isUuid = (text: string): boolean => UUID.test(text)

/** After every id and time that a row can have: what an absent cursor means. */
export const LAST = "\u{10ffff}"

/** The cursor of a list by falling id: the page after the row with this one. */
const idCursor = ({ mark }: ListById, id: string): string => cursorOf([mark, id])

const idIn = (mark: string, text: string): Option.Option<string> =>
  Option.flatMap(readCursor(text), ([found, id, ...more]) =>
    found === mark && id !== undefined && more.length === 0 ? Option.some(id) : Option.none()
  )

/** The id before which a page begins; none for a cursor that the list did not give. */
export const startOf = (
  sqlite: Sqlite["Type"],
  list: ListById,
  after: Option.Option<string>
): Effect.Effect<Option.Option<string>, StoreUnavailable> =>
  Effect.gen(function* () {
    if (Option.isNone(after)) return Option.some(LAST)
    const id = idIn(list.mark, after.value)
    if (Option.isNone(id) || (list.isId ?? isUuid)(id.value)) return id
    // Another program may have given a row an id of another form: while it is there, the list goes on after it.
    return (yield* sqlite.rows(list.find, { id: id.value })).length > 0 ? id : Option.none()
  })

/** The rows of a page, of which one more than `limit` was read, and the cursor of the next. */
export const pageFrom = (
  rows: ReadonlyArray<Row>,
  limit: number,
  cursorAfter: (row: Row) => string
): { readonly shown: ReadonlyArray<Row>; readonly next: Option.Option<string> } => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const isFull = rows.length > limit && last !== undefined
  return { shown, next: isFull ? Option.some(cursorAfter(last)) : Option.none() }
}

/** The same of a list by falling id. */
export const pageById = (
  list: ListById,
  rows: ReadonlyArray<Row>,
  limit: number,
  idOf: (row: Row) => string
) => pageFrom(rows, limit, (row) => idCursor(list, idOf(row)))
