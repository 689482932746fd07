import { Schema } from "effect"

/** The longest subject of a task. */
const SUBJECT = 1_000

/** Text of a foreign event that must say something. */
export const Word = Schema.String.pipe(
  Schema.filter((text) => text.trim() !== "", { description: "text that is not empty" })
)

/** Foreign bodies carry much that is not wanted here: other keys are left out without a word. */
export const ONLY_THE_NAMED = { onExcessProperty: "ignore" } as const

/** One line of foreign text, short enough for a subject. */
export const cut = (text: string): string => {
  const line = text.toWellFormed().replaceAll("\0", "").replace(/\s+/g, " ").trim()
  return line.length <= SUBJECT ? line : `${line.slice(0, SUBJECT - 1).toWellFormed()}…`
}
