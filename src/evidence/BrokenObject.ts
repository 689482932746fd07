import { Option } from "effect"

/** Stands for all that is neither a brace nor a comma. */
const OTHER = ""

/**
 * Where the first brace is that opens an object with one of `keys` as a quoted key of its own, whatever becomes of
 * the object: values that JSON does not know, single quotes, an end that is missing. None in prose, and in code and
 * logs that only mention the key.
 *
 * Takes time linear in the text: quotes end with their line, and one that is not closed there stands for itself, so
 * that of each line at most two (one of either sort) are read again.
 */
export const brokenObject = (text: string, keys: ReadonlyArray<string>): Option.Option<number> => {
  // Where the open braces are; and of each that a quoted key with its colon stands behind, the complement, for in
  // code and prose none does. Numbers alone, as there may be millions.
  const open: Array<number> = []
  let behind = OTHER
  for (let at = text.indexOf("{"); at !== -1 && at < text.length; ) {
    const char = text.charAt(at)
    const end = isQuote(char) && !isWord(text[at - 1]) ? quoteEnd(text, at) : -1
    if (end !== -1) {
      if (behind !== OTHER && isColon(text, end)) {
        const brace = open.pop() ?? 0
        const top = behind === "{" ? ~brace : brace
        if (top < 0 && keys.includes(text.slice(at + 1, end - 1))) return Option.some(~top)
        open.push(top)
      }
      behind = OTHER
      at = end
      continue
    }
    if (char === "{") open.push(at)
    if (char === "}") open.pop()
    if (!isSpace(char)) behind = char === "{" || char === "," ? char : OTHER
    at = open.length === 0 ? text.indexOf("{", at + 1) : at + (char === "\\" ? 2 : 1)
  }
  return Option.none()
}

const isQuote = (char: string): boolean => char === '"' || char === "'"

/** A quote behind a letter is an apostrophe, or closes what was opened on another line. */
const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_]/u.test(char)

const isSpace = (char: string | undefined): boolean =>
  char === " " || char === "\n" || char === "\r" || char === "\t"

/** Behind the quote that closes the one at `from`; -1 when none does on its line. */
const quoteEnd = (text: string, from: number): number => {
  const quote = text.charCodeAt(from)
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at + 1
    if (code === 0x0a) return -1
    if (code === 0x5c) at++
  }
  return -1
}

const isColon = (text: string, from: number): boolean => {
  let at = from
  while (isSpace(text[at])) at++
  return text[at] === ":"
}
