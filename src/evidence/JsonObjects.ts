/** A complete JSON object inside a text: `text.slice(start, end)` is valid JSON. */
export interface FoundObject {
  readonly start: number
  readonly end: number
  /** How deep it nests; 1 for an object that holds neither objects nor lists. */
  readonly depth: number
}

type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end"

interface Container {
  readonly start: number
  readonly isObject: boolean
  readonly foundBefore: number
  marked: boolean
  depth: number
}

interface Scan {
  readonly text: string
  readonly keys: ReadonlyArray<string>
  readonly found: Array<FoundObject>
  /** Positions of braces that need no scan of their own. */
  readonly decided: Uint8Array
}

/**
 * The complete JSON objects in a text that have one of `keys` as a key of their own, by where they end. An
 * object inside another one that has such a key itself is a part of that one and is not listed.
 *
 * Takes time linear in the text, whatever is in it: a scan that fails decides for every brace that it passed
 * as structure, and two scans that go on past one another disagree on what is inside quotes, so that no
 * character is ever looked at by a third.
 */
export const jsonObjects = (text: string, keys: ReadonlyArray<string>): ReadonlyArray<FoundObject> => {
  const scan: Scan = { text, keys, found: [], decided: new Uint8Array(text.length) }
  for (let at = text.indexOf("{"); at !== -1; ) {
    const end = scan.decided[at] === 1 ? at + 1 : scanFrom(scan, at)
    at = text.indexOf("{", end)
  }
  return scan.found.sort((one, other) => one.end - other.end)
}

/** Reads the object that begins at `start`; answers where to go on: its end, or the next character. */
const scanFrom = (scan: Scan, start: number): number => {
  const { text } = scan
  const stack: Array<Container> = []
  let expected: Expected = "value"
  let at = start
  for (;;) {
    at = skipSpace(text, at)
    const char = text[at]
    const top = stack.at(-1)
    if (char === "}" || char === "]") {
      if (top === undefined || top.isObject !== (char === "}") || !mayEnd(expected)) return start + 1
      close(scan, stack, at + 1)
      if (stack.length === 0) return at + 1
      expected = "comma or end"
      at++
    } else if (expected === "colon" || expected === "comma or end") {
      if (char !== (expected === "colon" ? ":" : ",")) return start + 1
      expected = expected === "colon" || top?.isObject === false ? "value" : "key"
      at++
    } else if (expected === "key" || expected === "key or end") {
      const end = char === '"' ? stringEnd(text, at) : -1
      if (end === -1 || top === undefined) return start + 1
      top.marked ||= isOneOf(scan.keys, text, at, end)
      expected = "colon"
      at = end
    } else if (char === "{" || char === "[") {
      if (char === "{") scan.decided[at] = 1
      stack.push({
        start: at,
        isObject: char === "{",
        foundBefore: scan.found.length,
        marked: false,
        depth: 1
      })
      expected = char === "{" ? "key or end" : "value or end"
      at++
    } else {
      at = char === '"' ? stringEnd(text, at) : plainEnd(text, at)
      if (at === -1) return start + 1
      expected = "comma or end"
    }
  }
}

const mayEnd = (expected: Expected): boolean =>
  expected === "comma or end" || expected === "key or end" || expected === "value or end"

const close = (scan: Scan, stack: Array<Container>, end: number): void => {
  const done = stack.pop()
  if (done === undefined) return
  const outer = stack.at(-1)
  if (outer !== undefined) outer.depth = Math.max(outer.depth, done.depth + 1)
  if (!done.marked) return
  scan.found.length = done.foundBefore
  scan.found.push({ start: done.start, end, depth: done.depth })
}

const skipSpace = (text: string, from: number): number => {
  let at = from
  while (
    at < text.length &&
    (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t")
  )
    at++
  return at
}

/** Behind the closing quote of the string that begins at `from`; -1 when it is no JSON string. */
export const stringEnd = (text: string, from: number): number => {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return -1
    if (code !== 0x5c) continue
    const escaped = text[++at]
    if (escaped === "u") {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) return -1
      at += 4
    } else if (escaped === undefined || !'"\\/bfnrt'.includes(escaped)) return -1
  }
  return -1
}

/** Behind the number, `true`, `false` or `null` that begins at `from`; -1 when there is none. */
export const plainEnd = (text: string, from: number): number => {
  const plain = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
  plain.lastIndex = from
  return plain.test(text) ? plain.lastIndex : -1
}

/** Longer than any key that is looked for, even with every character written as an escape. */
const MOST_KEY_CHARACTERS = 200

const isOneOf = (keys: ReadonlyArray<string>, text: string, from: number, end: number): boolean => {
  if (end - from > MOST_KEY_CHARACTERS) return false
  const raw = text.slice(from, end)
  return keys.includes(raw.includes("\\") ? JSON.parse(raw) : raw.slice(1, -1))
}
