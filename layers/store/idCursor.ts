import { Option } from "effect"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"

// Lists by an integer id have that id as their cursor, marked so that another list's is told from it.
const MARK = "id"

/** The cursor of a list by falling integer id: the page after the row with this one. */
export const idCursor = (id: number): string => cursorOf([MARK, String(id)])

/** The id in a cursor; none for text that is no cursor of such a list. */
export const readIdCursor = (text: string): Option.Option<number> =>
  Option.flatMap(readCursor(text), ([mark, digits = "", ...more]) => {
    const isId = mark === MARK && /^[1-9]\d{0,15}$/.test(digits) && more.length === 0
    return isId && Number.isSafeInteger(Number(digits)) ? Option.some(Number(digits)) : Option.none()
  })

/** Rows of a page, of which one more than `limit` was read, and the cursor of the next. */
export const pageById = <A>(
  rows: ReadonlyArray<A>,
  limit: number,
  idOf: (row: A) => number
): { readonly shown: ReadonlyArray<A>; readonly next: Option.Option<string> } => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last !== undefined ? Option.some(idCursor(idOf(last))) : Option.none()
  return { shown, next }
}
