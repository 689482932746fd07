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

/** Each byte, and for a capital letter of ASCII the small one. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
)
const folded = (byte: number): number => FOLDED[byte] ?? 0

/** What finds all forms of all values; `folded` and `hex` read small letters for capital ones. */
export interface Automata {
  readonly literal: Automaton
  readonly folded: Automaton
  readonly grouped: Automaton
  readonly hex: Automaton
  /**
   * By two bytes, the first one in the upper half of the index: 1 where a pattern of any begins with them.
   * Almost all of what an attempt prints is passed over by this table alone.
   */
  readonly begins: Uint8Array
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The automata of these values' forms. */
export const automataOf = (forms: ReadonlyArray<SecretForms>): Automata => {
  const of = (kind: keyof SecretForms, byte = (one: number) => one) =>
    automatonOf(forms.flatMap((form) => form[kind].map((text) => utf8(text).map(byte))))
  const automata = {
    literal: of("literal"),
    folded: of("folded", folded),
    grouped: of("grouped"),
    hex: of("hex", folded)
  }
  return { ...automata, begins: beginnings(automata) }
}

// All patterns have two bytes at least: they stand for values of 6 characters and more.
const beginnings = (automata: Omit<Automata, "begins">): Uint8Array => {
  const begins = new Uint8Array(0x10000)
  const mark = (automaton: Automaton, byte: (one: number) => number, isPassed: (one: number) => boolean) => {
    for (let first = 0; first < 256; first++) {
      const state = automaton.next(0, byte(first))
      if (state === 0) continue
      for (let second = 0; second < 256; second++)
        if (isPassed(second) || automaton.depth(automaton.next(state, byte(second))) === 2)
          begins[(first << 8) | second] = 1
    }
  }
  const same = (byte: number) => byte
  mark(automata.literal, same, () => false)
  mark(automata.folded, folded, () => false)
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
  const { begins, grouped, hex, literal } = automata
  let inLiteral = 0
  let inFolded = 0
  let inGrouped = 0
  let inHex = 0
  let between = 0
  // The byte before, for what both `grouped` and `hex` have begun in.
  let before = 0
  // Where the bytes that count for these two stand, in data of `length`.
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
        if (inLiteral === 0 && inFolded === 0 && inGrouped === 0 && inHex === 0)
          while (at < last && begins[((data[at] ?? 0) << 8) | (data[at + 1] ?? 0)] === 0) at++
        const byte = data[at] ?? 0
        const small = folded(byte)
        inLiteral = literal.next(inLiteral, byte)
        inFolded = automata.folded.next(inFolded, small)
        const matched = Math.max(literal.match(inLiteral), automata.folded.match(inFolded))
        if (matched > 0) found(at + 1 - matched, at + 1)
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
      return Math.min(
        start,
        data.length - Math.max(literal.depth(inLiteral), automata.folded.depth(inFolded))
      )
    }
  }
}

/** Bytes that a value takes at most, in whatever form. */
export const reachOf = ({ folded, grouped, hex, literal }: Automata): number =>
  Math.max(literal.longest, folded.longest, Math.max(grouped.longest, hex.longest) * (MOST_BETWEEN + 1))
