import { Schema } from "effect"
import { isBlank } from "../domain/Blank.ts"

/** The longest subject of a task. */
const SUBJECT = 1_000

/** Text of a foreign event. Half a surrogate pair could be stored but not read back. */
const Text = Schema.String.pipe(
  Schema.filter((text) => text.isWellFormed(), { description: "text in valid Unicode" })
)

/** Text of a foreign event that must say something. */
export const Word = Text.pipe(
  Schema.filter((text) => !isBlank(text), { description: "text that is not empty" })
)

/** A field that an event may leave out, or name and have nothing to say of. */
export const perhaps = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** Text that may be left out. */
export const PerhapsText = perhaps(Text)

/** Foreign bodies carry much that is not wanted here: other keys are left out without a word. */
export const ONLY_THE_NAMED = { onExcessProperty: "ignore" } as const

/** One line of foreign text, short enough for a subject. */
export const cut = (text: string): string => {
  const line = text.toWellFormed().replaceAll("\0", "").replace(/\s+/g, " ").trim()
  return line.length <= SUBJECT ? line : `${line.slice(0, SUBJECT - 1).toWellFormed()}…`
}
