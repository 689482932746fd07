import { quoted } from "../domain/Abridged.ts"
import { counted } from "../domain/Figure.ts"
import { plainEnd, stringEnd } from "./JsonObjects.ts"

/** A text of JSON whose long integers became texts, and what is to be said of them. */
export interface Kept {
  readonly text: string
  /** Where the first of them stand. */
  readonly paths: ReadonlyArray<string>
  readonly count: number
}

/**
 * Puts integers that no number holds exactly into quotes, their digits as they stand: `JSON.parse` rounds them without
 * a word, ids of Discord among them. Only in what an outcome hands on; where it wants a count or a text of its own, a
 * number stays one. `text` is valid JSON; `within` names the keys that lead to the outcome in it.
 */
export const keepLongIntegers = (text: string, within: ReadonlyArray<string> = []): Kept => {
  if (!LONG.test(text)) return { text, paths: [], count: 0 }
  const [pieces, paths]: [Array<string>, Array<string>] = [[], []]
  let [copied, count] = [0, 0]
  for (const { start, end, places } of integersIn(text)) {
    const digits = text.slice(start, end)
    if (String(Number(digits)) === digits) continue
    const [list, outer] = [places[within.length], places.slice(0, within.length)]
    if (list === undefined || !HANDED_ON.includes(nameOf(text, list))) continue
    if (outer.some((place, index) => nameOf(text, place) !== within[index])) continue
    pieces.push(text.slice(copied, start), `"${digits}"`)
    copied = end
    if (paths.length < MOST_NAMED) paths.push(pathOf(text, places.slice(within.length)))
    count++
  }
  return { text: pieces.join("") + text.slice(copied), paths, count }
}

/** What an attempt's issues say of integers that were kept as text. */
export const keptInWords = (
  { count, paths }: Kept,
  mask: (text: string) => string
): ReadonlyArray<string> => {
  if (count === 0) return []
  const more = count > paths.length ? ` and ${counted(count - paths.length)} more` : ""
  const named = paths.map((path) => quoted(mask(path), 80)).join(", ")
  const [are, each] = count === 1 ? ["an integer", "it was"] : ["integers", "each was"]
  return [
    `outcome_number_kept_as_text: the outcome has ${are} too long to be kept exactly as a number, at ${named}${more}; readers of JSON would round such a number, so ${each} kept as text with its digits: put ids into double quotes`
  ]
}

/** What is carried on as it came: payloads of tasks and messages. */
const HANDED_ON: ReadonlyArray<string> = ["follow_up_tasks", "external_messages"]

const MOST_NAMED = 3

// Far quicker than to read on: where it finds none, nothing is to be done.
const LONG = /[:,[ \t\n\r]-?\d{16}/

interface Place {
  readonly isList: boolean
  /** How many values of a list stand before the one that is read. */
  index: number
  /** The key that is read: where it stands, and, once it was asked for, as it is. */
  key: readonly [start: number, end: number]
  name: string | undefined
}

/** The integers of sixteen digits and more outside quotes, and the keys and positions that lead there. */
function* integersIn(text: string) {
  const places: Array<Place> = []
  let string: Place["key"] = [0, 0]
  for (let at = 0; at < text.length; ) {
    const char = text[at]
    const top = places.at(-1)
    if (char === '"') {
      string = [at, stringEnd(text, at)]
      at = string[1]
      continue
    }
    if (char === "-" || (char !== undefined && char >= "0" && char <= "9")) {
      const end = plainEnd(text, at)
      if (end - at > 15 && /^-?\d{16,}$/.test(text.slice(at, end))) yield { start: at, end, places }
      at = end
      continue
    }
    if (char === "{" || char === "[")
      places.push({ isList: char === "[", index: 0, key: string, name: undefined })
    else if (char === "}" || char === "]") places.pop()
    else if (char === ":" && top !== undefined) [top.key, top.name] = [string, undefined]
    else if (char === "," && top !== undefined) top.index++
    at++
  }
}

/** Each key is read once: a long one may lead to many numbers. */
const nameOf = (text: string, place: Place): string => {
  if (place.isList) return `[${place.index}]`
  place.name ??= String(JSON.parse(text.slice(...place.key)))
  return place.name
}

const pathOf = (text: string, places: ReadonlyArray<Place>): string =>
  places.map((place, at) => `${place.isList || at === 0 ? "" : "."}${nameOf(text, place)}`).join("")
