import { type Automaton, automatonOf } from "./Automaton.ts"
import type { SecretForms } from "./SecretForms.ts"

/**
 * So many bytes may stand between two characters of base64 or hex: a line's end and the next one's indent, or a line's
 * end as it is escaped in JSON, and a backslash alone, by which some writers escape the slash of base64.
 */
const MOST_BETWEEN = 8
const BACKSLASH = 0x5c
const BETWEEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\s:\\]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0
)
const isBetween = (byte: number): boolean => BETWEEN[byte] === 1

/** What a line's end is escaped with in JSON, once or again inside of another text, behind its backslash. */
const isEscape = (byte: number): boolean => byte === 0x6e || byte === 0x72 || byte === 0x74

/** So deep JSON may be within JSON: each time the backslashes before a character are twice as many, and one for itself. */
const MOST_DEPTH = 4
const deepest = (backslashes: number): number => (backslashes + 1) * 2 ** (MOST_DEPTH - 1)

const runsOf = (text: string): ReadonlyArray<number> =>
  Array.from(text.matchAll(/\\+/g), ([run]) => run.length)

/** Each byte, and for a capital letter of ASCII the small one. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
)
const folded = (byte: number): number => FOLDED[byte] ?? 0

/**
 * What finds all forms of all values; `folded`, `nested` and `hex` read small letters for capital ones, and `nested` a run of
 * backslashes as one.
 */
export interface Automata {
  readonly literal: Automaton
  readonly folded: Automaton
  readonly nested: Automaton
  readonly grouped: Automaton
  readonly hex: Automaton
  /**
   * By two bytes, the first one in the upper half of the index: 1 where a pattern of any begins with them.
   * Almost all of what an attempt prints is passed over by this table alone.
   */
  readonly begins: Uint8Array
  /** So many backslashes may stand where one does in `nested`. */
  readonly mostRun: number
  /** Bytes that a value takes at most, in whatever form. */
  readonly reach: number
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The automata of these values' forms. */
export const automataOf = (forms: ReadonlyArray<SecretForms>): Automata => {
  const nested = forms.flatMap((form) => form.nested)
  const of = (kind: keyof SecretForms, byte = (one: number) => one) =>
    automatonOf(forms.flatMap((form) => form[kind].map((text) => utf8(text).map(byte))))
  const automata = {
    literal: of("literal"),
    folded: of("folded", folded),
    nested: automatonOf([...new Set(nested.map(withoutDepth))].map((text) => utf8(text).map(folded))),
    grouped: of("grouped"),
    hex: of("hex", folded)
  }
  const { folded: url, grouped, hex, literal } = automata
  const reach = [
    literal.longest,
    url.longest,
    Math.max(grouped.longest, hex.longest) * (MOST_BETWEEN + 1),
    ...nested.map((form) => utf8(form).length + sum(runsOf(form).map(deepest)))
  ]
  return {
    ...automata,
    begins: beginnings(automata),
    mostRun: Math.max(0, ...nested.flatMap(runsOf).map(deepest)),
    reach: Math.max(...reach)
  }
}

const withoutDepth = (form: string): string => form.replace(/\\+/g, "\\")

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

// All patterns have two bytes at least: they stand for values of 6 characters and more.
const beginnings = (automata: Omit<Automata, "begins" | "mostRun" | "reach">): Uint8Array => {
  const begins = new Uint8Array(0x10000)
  const mark = (
    automaton: Automaton,
    byte: (one: number) => number,
    isPassed: (second: number, first: number) => boolean
  ) => {
    for (let first = 0; first < 256; first++) {
      const state = automaton.next(0, byte(first))
      if (state === 0) continue
      for (let second = 0; second < 256; second++)
        if (isPassed(second, first) || automaton.depth(automaton.next(state, byte(second))) === 2)
          begins[(first << 8) | second] = 1
    }
  }
  const same = (byte: number) => byte
  mark(automata.literal, same, () => false)
  mark(automata.folded, folded, () => false)
  mark(automata.nested, folded, (second, first) => first === BACKSLASH && second === BACKSLASH)
  mark(automata.grouped, same, isBetween)
  mark(automata.hex, folded, isBetween)
  return begins
}

/** A stretch of bytes, its end not included. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Reads on where the last piece ended. Positions are those in `data`, of which the first `known` were read before. */
export const scanOf = (automata: Automata) => {
  const { begins, grouped, hex, literal, nested } = automata
  let inLiteral = 0
  let inFolded = 0
  let inNested = 0
  let run = 0
  let inGrouped = 0
  let inHex = 0
  let between = 0
  // The byte before.
  let before = 0
  // Where the bytes that count for `grouped` and `hex` stand, in data of `length`.
  let places = new Int32Array(0)
  let count = 0
  let length = 0
  const begin = (data: Uint8Array, known: number): void => {
    const dropped = length - known
    const read = places
    let first = count
    while (first > 0 && (read[first - 1] ?? 0) >= dropped) first--
    if (places.length < data.length) places = new Int32Array(data.length)
    const still = count - first
    for (let at = 0; at < still; at++) places[at] = (read[first + at] ?? 0) - dropped
    count = still
    length = data.length
  }
  return {
    read: (data: Uint8Array, known: number, found: (start: number, end: number) => void): void => {
      begin(data, known)
      const last = data.length - 1
      for (let at = known; at < data.length; at++) {
        if (inLiteral === 0 && inFolded === 0 && inNested === 0 && inGrouped === 0 && inHex === 0) {
          const from = at
          while (at < last && begins[((data[at] ?? 0) << 8) | (data[at + 1] ?? 0)] === 0) at++
          if (at > from) before = data[at - 1] ?? 0
        }
        const byte = data[at] ?? 0
        const small = folded(byte)
        inLiteral = literal.next(inLiteral, byte)
        inFolded = automata.folded.next(inFolded, small)
        const matched = Math.max(literal.match(inLiteral), automata.folded.match(inFolded))
        if (matched > 0) found(at + 1 - matched, at + 1)
        if (byte !== BACKSLASH || before !== BACKSLASH) {
          run = 1
          inNested = nested.next(inNested, small)
        } else if (++run > automata.mostRun) inNested = 0
        const escaped = nested.match(inNested)
        if (escaped > 0) found(unfolded(data, at, escaped), at + 1)
        const isEscaped = before === BACKSLASH && isEscape(byte) && (inGrouped !== 0 || inHex !== 0)
        before = byte
        if (isEscaped || isBetween(byte)) {
          if (++between > MOST_BETWEEN) {
            inGrouped = 0
            inHex = 0
          }
          continue
        }
        between = 0
        places[count++] = at
        inGrouped = grouped.next(inGrouped, byte)
        inHex = hex.next(inHex, small)
        const characters = Math.max(grouped.match(inGrouped), hex.match(inHex))
        if (characters > 0) found(places[count - characters] ?? 0, at + 1)
      }
    },
    /** Where the first byte stands that may still become part of a value. */
    open: (data: Uint8Array): number => {
      const begun = Math.max(grouped.depth(inGrouped), hex.depth(inHex))
      const start = begun === 0 ? data.length : (places[count - begun] ?? 0)
      const escaped = nested.depth(inNested)
      return Math.min(
        start,
        escaped === 0 ? data.length : unfolded(data, data.length - 1, escaped),
        data.length - Math.max(literal.depth(inLiteral), automata.folded.depth(inFolded))
      )
    }
  }
}

/** Where so many bytes begin that end at `last`, a run of backslashes counted as one. */
const unfolded = (data: Uint8Array, last: number, count: number): number => {
  let left = count
  let at = last
  for (; at > 0; at--) if ((data[at] !== BACKSLASH || data[at - 1] !== BACKSLASH) && --left === 0) break
  return at
}
