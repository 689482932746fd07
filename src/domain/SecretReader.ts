import type { Automaton } from "./Automaton.ts"
import { type Automata, deepest, stretch } from "./SecretAutomata.ts"
import {
  BACKSLASH,
  BASE64,
  CR,
  digitOf,
  ESCAPE_BYTES,
  folded,
  HEX,
  isBetween,
  isEscape,
  isWord,
  isZero,
  LF,
  same,
  T,
  U
} from "./SecretBytes.ts"
import { listOf, MOST_BETWEEN, type Seen, strandsOf } from "./SecretStrands.ts"

/** A stretch of bytes, its end not included. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Reads on where the last piece ended. Positions are those in `data`, of which the first `known` were read before. */
export const scanOf = (automata: Automata) => {
  const { begins, grouped, hex, literal, nested } = automata
  const base64Strands = strandsOf({
    automaton: grouped,
    letters: BASE64,
    fold: same,
    deep: 4,
    reach: stretch(grouped)
  })
  const hexStrands = strandsOf({ automaton: hex, letters: HEX, fold: folded, deep: 6, reach: stretch(hex) })
  const seen: Seen = { byte: 0, start: 0, end: 0, endsLine: false, isBetween: false, isFirst: true }
  let inLiteral = 0
  let inFolded = 0
  let inNested = 0
  let run = 0
  let inGrouped = 0
  let inHex = 0
  let between = 0
  // The byte before, and whether an escape ended with it.
  let before = 0
  let wasEscape = false
  // So many bytes of an escape have been read behind its backslash, and such is the code that they write.
  let escape = 0
  let code = 0
  // Whether there is nothing to go on from but the states.
  let isQuiet = true
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
    base64Strands.shift(dropped)
    hexStrands.shift(dropped)
  }
  const lastPlaces = (depth: number) => listOf(places, count - depth, count)
  type Strands = typeof base64Strands
  /** Leaves to strands what the plain reading cannot go on from behind the end of a line. */
  const leaveLine = (
    data: Uint8Array,
    at: number,
    escaped: boolean,
    strands: Strands,
    state: number,
    automaton: Automaton
  ) => {
    const first = data[at + 1]
    // The plain reading goes on by itself with a character that follows at once, and so does none that does not fit.
    const isOver = (begun: number) =>
      first !== undefined &&
      isWord(first) &&
      !strands.isDeep(begun) &&
      (begun === state ||
        automaton.depth(automaton.next(begun, automaton === hex ? folded(first) : first)) < 2)
    if (state !== 0 && !isOver(state)) strands.leave("beginning", state, lastPlaces(automaton.depth(state)))
    const end = escaped ? at - 1 : at
    if (!isWord(data[end - 1] ?? 0))
      strands.endings(data, end, (begun, places) => {
        if (begun !== state && !isOver(begun)) strands.leave("beginning", begun, places)
      })
  }
  /** Reads the byte by the strands, before the plain reading has gone on, and begins those that it leaves. */
  const readAround = (
    data: Uint8Array,
    at: number,
    byte: number,
    small: number,
    isEscaped: boolean,
    isPassed: boolean,
    toGrouped: number,
    toHex: number,
    found: (start: number, end: number) => void
  ): void => {
    const endsLine = byte === LF || byte === CR || (isEscaped && byte !== T)
    if (base64Strands.count() > 0 || hexStrands.count() > 0) {
      seen.byte = byte
      seen.start = at
      seen.end = at + 1
      seen.endsLine = endsLine
      seen.isBetween = isEscaped || isBetween(byte)
      seen.isFirst = wasEscape || !isWord(before)
      base64Strands.take(seen, toGrouped, found)
      seen.byte = small
      hexStrands.take(seen, toHex, found)
    }
    if (endsLine) {
      const isDecorated = !isWord(data[isEscaped ? at - 2 : at - 1] ?? 0)
      if (isDecorated || inGrouped !== 0) leaveLine(data, at, isEscaped, base64Strands, inGrouped, grouped)
      if (isDecorated || inHex !== 0) leaveLine(data, at, isEscaped, hexStrands, inHex, hex)
    } else {
      if (
        inGrouped !== 0 &&
        (isPassed ? between === 1 : BASE64[byte] !== 1) &&
        base64Strands.isDeep(inGrouped)
      )
        base64Strands.leave("ending", inGrouped, lastPlaces(grouped.depth(inGrouped)))
      if (inHex !== 0 && (isPassed ? between === 1 : HEX[small] !== 1) && hexStrands.isDeep(inHex))
        hexStrands.leave("ending", inHex, lastPlaces(hex.depth(inHex)))
    }
  }
  /** What an escape stands for is read as if it stood there itself, from where its backslashes begin. */
  const readEscape = (
    data: Uint8Array,
    at: number,
    small: number,
    found: (start: number, end: number) => void
  ) => {
    const digit = digitOf(small)
    if (digit === -1 || (escape < 3 && digit !== 0) || (escape === 3 && digit > 7)) escape = 0
    else {
      code = code * 16 + digit
      if (++escape < ESCAPE_BYTES) return
      escape = 0
      wasEscape = true
      seen.byte = code
      seen.start = backslashes(data, at - ESCAPE_BYTES)
      seen.end = at + 1
      seen.endsLine = code === LF || code === CR
      seen.isBetween = isBetween(code)
      seen.isFirst = true
      base64Strands.resume(seen, found)
      seen.byte = folded(code)
      hexStrands.resume(seen, found)
    }
    base64Strands.forget()
    hexStrands.forget()
  }
  return {
    read: (data: Uint8Array, known: number, found: (start: number, end: number) => void): void => {
      begin(data, known)
      const last = data.length - 1
      for (let at = known; at < data.length; at++) {
        if (
          isQuiet &&
          inLiteral === 0 &&
          inFolded === 0 &&
          inNested === 0 &&
          inGrouped === 0 &&
          inHex === 0
        ) {
          const from = at
          while (at < last && begins[((data[at] ?? 0) << 8) | (data[at + 1] ?? 0)] === 0) at++
          if (at > from) {
            before = data[at - 1] ?? 0
            wasEscape = false
          }
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
        const isEscaped = before === BACKSLASH && isEscape(byte)
        const beginsEscape =
          before === BACKSLASH && byte === U && isZero(data[at + 1]) && isZero(data[at + 2])
        if (beginsEscape) {
          base64Strands.save(inGrouped, lastPlaces(grouped.depth(inGrouped)))
          hexStrands.save(inHex, lastPlaces(hex.depth(inHex)))
        }
        const isPassed = isBetween(byte) || (isEscaped && (inGrouped !== 0 || inHex !== 0))
        between = isPassed ? between + 1 : 0
        const isLost = between > MOST_BETWEEN
        const toGrouped = isPassed ? (isLost ? 0 : inGrouped) : grouped.next(inGrouped, byte)
        const toHex = isPassed ? (isLost ? 0 : inHex) : hex.next(inHex, small)
        if (!isQuiet || isEscaped || inGrouped !== 0 || inHex !== 0 || byte === LF || byte === CR)
          readAround(data, at, byte, small, isEscaped, isPassed, toGrouped, toHex, found)
        inGrouped = toGrouped
        inHex = toHex
        before = byte
        wasEscape = isEscaped
        if (beginsEscape) {
          escape = 1
          code = 0
        } else if (escape > 0) readEscape(data, at, small, found)
        isQuiet =
          escape === 0 && byte !== BACKSLASH && base64Strands.count() === 0 && hexStrands.count() === 0
        if (isPassed) continue
        places[count++] = at
        const characters = Math.max(grouped.match(inGrouped), hex.match(inHex))
        if (characters === 0) continue
        const start = places[count - characters] ?? 0
        found(start, at + 1)
        base64Strands.settle(start)
        hexStrands.settle(start)
      }
    },
    /** Where the first byte stands that may still become part of a value. */
    open: (data: Uint8Array): number => {
      const begun = Math.max(grouped.depth(inGrouped), hex.depth(inHex))
      const start = begun === 0 ? data.length : (places[count - begun] ?? 0)
      const escaped = nested.depth(inNested)
      const last = data.length - 1
      let ending = data.length
      const told = (_: number, places: ReadonlyArray<number>) => {
        ending = Math.min(ending, places[0] ?? 0)
      }
      if (last >= 0 && !isWord(data[last] ?? 0)) {
        base64Strands.endings(data, data.length, told)
        hexStrands.endings(data, data.length, told)
      }
      return Math.min(
        start,
        ending,
        base64Strands.open(),
        hexStrands.open(),
        escape > 0 || before === BACKSLASH ? backslashes(data, last - escape) : data.length,
        escaped === 0 ? data.length : unfolded(data, last, escaped),
        data.length - Math.max(literal.depth(inLiteral), automata.folded.depth(inFolded))
      )
    }
  }
}

/** Where the backslashes begin of which the last one stands there: those of JSON in JSON. */
const backslashes = (data: Uint8Array, last: number): number => {
  let at = Math.max(0, last)
  while (at > 0 && last - at < deepest(1) && data[at - 1] === BACKSLASH) at--
  return at
}

/** Where so many bytes begin that end at `last`, a run of backslashes counted as one. */
const unfolded = (data: Uint8Array, last: number, count: number): number => {
  let left = count
  let at = last
  for (; at > 0; at--) if ((data[at] !== BACKSLASH || data[at - 1] !== BACKSLASH) && --left === 0) break
  return at
}
