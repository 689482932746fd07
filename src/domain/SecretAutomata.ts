import { type Automaton, automatonOf } from "./Automaton.ts"
import type { SecretForms } from "./SecretForms.ts"

/** So many bytes may stand between two characters of base64 or hex: a line's end and the next one's indent. */
const MOST_BETWEEN = 8
const BETWEEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\s:]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0
)
const isBetween = (byte: number): boolean => BETWEEN[byte] === 1

/** What finds all forms of all values. */
export interface Automata {
  readonly literal: Automaton
  readonly grouped: Automaton
  /**
   * By two bytes, the first one in the upper half of the index: 1 where a pattern of either begins with them.
   * Almost all of what an attempt prints is passed over by this table alone.
   */
  readonly begins: Uint8Array
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The automata of these values' forms. */
export const automataOf = (forms: ReadonlyArray<SecretForms>): Automata => {
  const literal = automatonOf(forms.flatMap((form) => form.literal.map(utf8)))
  const grouped = automatonOf(forms.flatMap((form) => form.grouped.map(utf8)))
  return { literal, grouped, begins: beginnings(literal, grouped) }
}

// All patterns have two bytes at least: they stand for values of 6 characters and more.
const beginnings = (literal: Automaton, grouped: Automaton): Uint8Array => {
  const begins = new Uint8Array(0x10000)
  for (let first = 0; first < 256; first++) {
    const inLiteral = literal.next(0, first)
    const inGrouped = grouped.next(0, first)
    for (let second = 0; second < 256; second++) {
      const goesOn =
        (inLiteral > 0 && literal.depth(literal.next(inLiteral, second)) === 2) ||
        (inGrouped > 0 && (isBetween(second) || grouped.depth(grouped.next(inGrouped, second)) === 2))
      if (goesOn) begins[(first << 8) | second] = 1
    }
  }
  return begins
}

/** A stretch of bytes, its end not included. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Reads on where the last piece ended. Positions are those in `data`, of which the first `known` were read before. */
export const scanOf = ({ begins, grouped, literal }: Automata) => {
  let inLiteral = 0
  let inGrouped = 0
  let between = 0
  // Where the bytes that count for `grouped` stand.
  let places = new Int32Array(0)
  let count = 0
  const begin = (data: Uint8Array, known: number): void => {
    if (places.length < data.length) places = new Int32Array(data.length)
    count = 0
    for (let at = 0; at < known; at++) if (!isBetween(data[at] ?? 0)) places[count++] = at
  }
  return {
    read: (data: Uint8Array, known: number, found: (start: number, end: number) => void): void => {
      begin(data, known)
      const last = data.length - 1
      for (let at = known; at < data.length; at++) {
        if (inLiteral === 0 && inGrouped === 0)
          while (at < last && begins[((data[at] ?? 0) << 8) | (data[at + 1] ?? 0)] === 0) at++
        const byte = data[at] ?? 0
        inLiteral = literal.next(inLiteral, byte)
        const length = literal.match(inLiteral)
        if (length > 0) found(at + 1 - length, at + 1)
        if (isBetween(byte)) {
          if (++between > MOST_BETWEEN) inGrouped = 0
          continue
        }
        between = 0
        places[count++] = at
        inGrouped = grouped.next(inGrouped, byte)
        const characters = grouped.match(inGrouped)
        if (characters > 0) found(places[count - characters] ?? 0, at + 1)
      }
    },
    /** Where the first byte stands that may still become part of a value. */
    open: (data: Uint8Array): number => {
      const begun = grouped.depth(inGrouped)
      const start = begun === 0 ? data.length : (places[count - begun] ?? 0)
      return Math.min(start, data.length - literal.depth(inLiteral))
    }
  }
}

/** Bytes that a value takes at most, in whatever form. */
export const reachOf = ({ grouped, literal }: Automata): number =>
  Math.max(literal.longest, grouped.longest * (MOST_BETWEEN + 1))
