import type { Row } from "./Sqlite.ts"

const BETWEEN = /[^\p{L}\p{N}]+/u
const WORD_CHARACTER = /[\p{L}\p{N}]/u

/** The words of a search, in lower case. */
export const termsOf = (text: string): ReadonlyArray<string> =>
  text
    .toLowerCase()
    .split(BETWEEN)
    .filter((term) => term !== "")

const begins = (text: string, term: string): boolean => {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1))
    if (at === 0 || !WORD_CHARACTER.test(text[at - 1] ?? "")) return true
  return false
}

/** Whether each term begins a word in a task's subject, kind or source; without terms nothing matches. */
export const matcher =
  (terms: ReadonlyArray<string>) =>
  ({ kind, source, subject }: Row): boolean => {
    if (terms.length === 0) return false
    const text = `${subject ?? ""}\n${kind}\n${source}`.toLowerCase()
    return terms.every((term) => begins(text, term))
  }
