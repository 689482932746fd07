import { jsonObjects } from "./JsonObjects.ts"

/**
 * The answer with what a model only thought, `<think>…</think>` and `<thinking>…</thinking>`, blanked out; one
 * that is not closed reaches to the end. Positions stay, and what stood around a thought is not joined to JSON
 * by it. A tag inside of a JSON object that has one of `keys` is that object's text.
 */
export const withoutThoughts = (text: string, keys: ReadonlyArray<string>): string => {
  const thoughts = text.search(TAG) === -1 ? [] : thoughtsOf(text, keys)
  if (thoughts.length === 0) return text
  const parts: Array<string> = []
  let at = 0
  for (const { end, start } of thoughts) {
    parts.push(text.slice(at, start), BLANK.repeat(end - start))
    at = end
  }
  return [...parts, text.slice(at)].join("")
}

/** JSON holds this nowhere: neither between its parts nor in its strings. */
const BLANK = "\0"

const TAG = /<(\/?)(think|thinking)>/i
const TAGS = new RegExp(TAG, "gi")

interface Thought {
  readonly start: number
  readonly end: number
}

const thoughtsOf = (text: string, keys: ReadonlyArray<string>): ReadonlyArray<Thought> => {
  const objects = jsonObjects(text, keys).toSorted((one, other) => one.start - other.start)
  const thoughts: Array<Thought> = []
  let open: { readonly name: string; readonly start: number } | undefined
  let next = 0
  // Up to here reach the objects that began outside of thoughts.
  let spokenTo = 0
  for (const { 0: tag, 1: slash, 2: word = "", index } of text.matchAll(TAGS)) {
    for (let object = objects[next]; object !== undefined && object.start < index; object = objects[++next])
      if (open === undefined) spokenTo = Math.max(spokenTo, object.end)
    const name = word.toLowerCase()
    if (open === undefined) {
      if (slash === "" && index >= spokenTo) open = { name, start: index }
    } else if (slash === "/" && name === open.name) {
      thoughts.push({ start: open.start, end: index + tag.length })
      open = undefined
    }
  }
  return open === undefined ? thoughts : [...thoughts, { start: open.start, end: text.length }]
}
