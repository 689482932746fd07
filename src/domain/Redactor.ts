import { type Automaton, automatonOf } from "./Automaton.ts"
import { heldBytes } from "./HeldBytes.ts"
import type { JsonObject } from "./Json.ts"
import { formsOf, type SecretForms } from "./SecretForms.ts"

/** What stands in the place of a secret value. */
export const MASK = "[redacted]"

/** Values of fewer characters would be found in too much that is no secret: they are not masked. */
export const LEAST_CHARACTERS = 6

/** Masks secret values, in all their forms, in bytes that come in pieces and in whole texts. */
export interface Redactor {
  /** Whether there is nothing to mask: everything passes unchanged. */
  readonly isIdle: boolean
  /** The text with each form of a value replaced by `[redacted]`; a text without any is the same text. */
  readonly text: (text: string) => string
  /** Whether any form of a value stands in the text. */
  readonly holds: (text: string) => boolean
  /**
   * A text that was cut out of a longer one, without so much of its beginning as may be the rest of a value:
   * what `text` could not find any more.
   */
  readonly afterCut: (text: string) => string
  readonly stream: () => RedactingStream
  readonly finder: () => SecretFinder
}

/** Masks one stream of bytes. However it is split, what comes out is the same. */
export interface RedactingStream {
  /**
   * Takes the next bytes and answers what can be passed on by now: all but a last part that a value may have
   * begun in. The answer may lie in the memory of `chunk`, and is good until the next call.
   */
  readonly write: (chunk: Uint8Array) => Uint8Array
  /** Answers what was held back; the stream is at its end. */
  readonly flush: () => Uint8Array
}

/** Looks for values in one stream of bytes, which need not be text, in bounded memory. */
export interface SecretFinder {
  /**
   * Takes the next bytes and answers whether any form of a value has been met by now, however the stream was
   * split; what comes after that is not looked at.
   */
  readonly write: (bytes: Uint8Array) => boolean
}

/** A redactor without values. */
export const noSecrets: Redactor = {
  isIdle: true,
  text: (text) => text,
  holds: () => false,
  afterCut: (text) => text,
  stream: () => ({ write: (chunk) => chunk, flush: () => NOTHING }),
  finder: () => ({ write: () => false })
}

/**
 * A redactor of these values. Those of fewer than 6 characters are passed over, and those that are part of the
 * mask. Found are the value itself, base64 (at any place in other bytes, both alphabets), hex (both cases),
 * URL-encoded and JSON-escaped forms; base64 and hex also broken into lines and groups.
 */
export const redactorOf = (values: Iterable<string>): Redactor => {
  const secrets = [...new Set(values)].filter(
    (value) => value.length >= LEAST_CHARACTERS && !MASK.includes(value)
  )
  if (secrets.length === 0) return noSecrets
  const automata = automataOf(secrets.map(formsOf))
  const holds = (text: string) => text.length >= LEAST_CHARACTERS && finderOf(automata).write(utf8(text))
  return {
    isIdle: false,
    text: (text) => (holds(text) ? masked(automata, text) : text),
    holds,
    afterCut: (text) => afterCut(automata, text),
    stream: () => streamOf(automata),
    finder: () => finderOf(automata)
  }
}

/** A JSON object with all its texts and keys masked. */
export const redactJson = (object: JsonObject, redactor: Redactor): JsonObject =>
  redactor.isIdle
    ? object
    : Object.fromEntries(
        Object.entries(object).map(([key, value]) => [redactor.text(key), redactValue(value, redactor)])
      )

const redactValue = (value: unknown, redactor: Redactor): unknown => {
  if (typeof value === "string") return redactor.text(value)
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redactor))
  return typeof value === "object" && value !== null ? redactJson({ ...value }, redactor) : value
}

interface Automata {
  readonly literal: Automaton
  readonly grouped: Automaton
  /**
   * By two bytes, the first one in the upper half of the index: 1 where a pattern of either begins with them.
   * Almost all of what an attempt prints is passed over by this table alone.
   */
  readonly begins: Uint8Array
}

const automataOf = (forms: ReadonlyArray<SecretForms>): Automata => {
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
interface Span {
  readonly start: number
  readonly end: number
}

const NOTHING = new Uint8Array(0)
const MASK_BYTES = new TextEncoder().encode(MASK)
const SLICE = 64 * 1024

/** So many bytes may stand between two characters of base64 or hex: a line's end and the next one's indent. */
const MOST_BETWEEN = 8
const BETWEEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\s:]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0
)
const isBetween = (byte: number): boolean => BETWEEN[byte] === 1

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Reads on where the last piece ended. Positions are those in `data`, of which the first `known` were read before. */
const scanOf = ({ begins, grouped, literal }: Automata) => {
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

const streamOf = (automata: Automata): RedactingStream => {
  const scan = scanOf(automata)
  // What is held back; stretches of it that are to be masked; up to where a mask that was told reaches.
  const held = heldBytes()
  let spans: Array<Span> = []
  let maskedTo = 0

  const settle = (data: Uint8Array, upTo: number): Uint8Array => {
    const parts: Array<Uint8Array> = []
    let from = Math.max(0, maskedTo)
    let settled = 0
    for (const { end, start } of spans) {
      if (start >= upTo) break
      settled++
      if (start >= maskedTo) parts.push(data.subarray(from, start), MASK_BYTES)
      maskedTo = Math.max(maskedTo, end)
      from = maskedTo
    }
    if (from < upTo) parts.push(data.subarray(from, upTo))
    spans = spans.slice(settled).map(({ end, start }) => ({ start: start - upTo, end: end - upTo }))
    maskedTo -= upTo
    held.keep(data.subarray(upTo))
    return joined(parts)
  }

  return {
    write: (chunk) => {
      const known = held.length()
      const data = held.with(chunk)
      scan.read(data, known, (start, end) => add(spans, start, end))
      return settle(data, scan.open(data))
    },
    flush: () => settle(held.with(NOTHING), held.length())
  }
}

/** Adds a stretch that ends behind all others; those that it overlaps become one with it. */
const add = (spans: Array<Span>, start: number, end: number): void => {
  let first = start
  for (let last = spans.at(-1); last !== undefined && last.end > start; last = spans.at(-1)) {
    first = Math.min(first, last.start)
    spans.pop()
  }
  spans.push({ start: first, end })
}

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = parts
  if (only === undefined) return NOTHING
  if (parts.length === 1) return only
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

// Whether a value was met is in the states of the scan alone: nothing that was read is needed again.
const finderOf = (automata: Automata): SecretFinder => {
  const scan = scanOf(automata)
  let met = false
  const found = () => {
    met = true
  }
  return {
    write: (bytes) => {
      for (let at = 0; at < bytes.length && !met; at += SLICE)
        scan.read(bytes.subarray(at, at + SLICE), 0, found)
      return met
    }
  }
}

const masked = (automata: Automata, text: string): string => {
  const stream = streamOf(automata)
  const bytes = joined([stream.write(utf8(text)), stream.flush()])
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}

const afterCut = (automata: Automata, text: string): string => {
  const bytes = utf8(text)
  const spans: Array<Span> = []
  scanOf(automata).read(bytes, 0, (start, end) => add(spans, start, end))
  // A value whose beginning is missing reaches no further than this.
  const reach = Math.max(automata.literal.longest, automata.grouped.longest * (MOST_BETWEEN + 1))
  let from = Math.min(reach, bytes.length)
  for (const { end, start } of spans) if (start < from && end > from) from = end
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from))
}
