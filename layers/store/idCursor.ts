import { Option } from "effect"

// Lists by an integer id have that id as their cursor, marked so that another list's is told from it.
const PREFIX = "id:"

/** The cursor of a list by falling integer id: the page after the row with this one. */
export const idCursor = (id: number): string => Buffer.from(`${PREFIX}${id}`).toString("base64url")

/** The id in a cursor; none for text that is no cursor of such a list. */
export const readIdCursor = (text: string): Option.Option<number> => {
  const [, digits] = /^id:([1-9]\d{0,15})$/.exec(Buffer.from(text, "base64url").toString("utf8")) ?? []
  return Option.filter(
    Option.map(Option.fromNullable(digits), Number),
    (id) => Number.isSafeInteger(id) && idCursor(id) === text
  )
}

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
