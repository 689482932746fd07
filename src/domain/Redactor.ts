import { heldBytes } from "./HeldBytes.ts"
import type { JsonObject } from "./Json.ts"
import { type Automata, automataOf } from "./SecretAutomata.ts"
import { formsOf } from "./SecretForms.ts"
import { type Span, scanOf } from "./SecretReader.ts"

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
  /** As `stream`, but a `*` for each byte of a value: what comes out is as long as what went in. */
  readonly cover: () => RedactingStream
  /** Bytes that a value takes at most, in whatever form: so far around a part of a text one may begin or end. */
  readonly reach: number
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

const passing = (): RedactingStream => ({ write: (chunk) => chunk, flush: () => NOTHING })

/** A redactor without values. */
export const noSecrets: Redactor = {
  isIdle: true,
  text: (text) => text,
  holds: () => false,
  afterCut: (text) => text,
  stream: passing,
  cover: passing,
  reach: 0,
  finder: () => ({ write: () => false })
}

/**
 * A redactor of these values. Those of fewer than 6 characters are passed over, and those that are part of the
 * mask. Found are the value itself, base64 (at any place in other bytes, both alphabets), hex (in any case),
 * URL-encoded and JSON-escaped forms, the latter up to four deep; base64 and URL of JSON; base64 with the escapes of
 * JSON; base64 and hex also broken into groups and lines, whatever of punctuation and whitespace decorates these (64
 * and more of an indent, git's `+`, quotes and commas), and behind words and numbers (a time, a file's name) where the
 * line before ends in 4 characters of the value's base64 or 6 of its hex.
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
    stream: () => streamOf(automata, replaced),
    cover: () => streamOf(automata, covered),
    reach: automata.reach,
    finder: () => finderOf(automata)
  }
}

/** A JSON object with all its texts and keys masked; keys that are the same by that are numbered, and none is lost. */
export const redactJson = (object: JsonObject, redactor: Redactor): JsonObject => {
  if (redactor.isIdle) return object
  const taken = new Set(Object.keys(object))
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const masked = redactor.text(key)
      const own = masked === key ? key : unlike(masked, taken)
      taken.add(own)
      return [own, redactValue(value, redactor)]
    })
  )
}

const unlike = (key: string, taken: ReadonlySet<string>): string => {
  let number = 1
  let numbered = key
  while (taken.has(numbered)) numbered = `${key} (${++number})`
  return numbered
}

const redactValue = (value: unknown, redactor: Redactor): unknown => {
  if (typeof value === "string") return redactor.text(value)
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redactor))
  return typeof value === "object" && value !== null ? redactJson({ ...value }, redactor) : value
}

const NOTHING = new Uint8Array(0)
const MASK_BYTES = new TextEncoder().encode(MASK)
/** An asterisk. */
const COVER = 0x2a
const SLICE = 64 * 1024

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * The first `upTo` bytes with the stretches masked. A mask that was told before reaches to `maskedTo`; answers too how
 * far the masks reach now.
 */
type Masking = (
  data: Uint8Array,
  upTo: number,
  spans: ReadonlyArray<Span>,
  maskedTo: number
) => { readonly told: Uint8Array; readonly maskedTo: number }

const replaced: Masking = (data, upTo, spans, maskedTo) => {
  const parts: Array<Uint8Array> = []
  let reached = maskedTo
  let from = Math.max(0, maskedTo)
  for (const { end, start } of spans) {
    if (start >= reached) parts.push(data.subarray(from, start), MASK_BYTES)
    reached = Math.max(reached, end)
    from = reached
  }
  if (from < upTo) parts.push(data.subarray(from, upTo))
  return { told: joined(parts), maskedTo: reached }
}

const covered: Masking = (data, upTo, spans, maskedTo) => {
  const reached = spans.reduce((most, { end }) => Math.max(most, end), maskedTo)
  if (reached <= 0) return { told: data.subarray(0, upTo), maskedTo: reached }
  const told = new Uint8Array(data.subarray(0, upTo))
  told.fill(COVER, 0, Math.max(0, maskedTo))
  for (const { end, start } of spans) told.fill(COVER, start, end)
  return { told, maskedTo: reached }
}

const streamOf = (automata: Automata, masking: Masking): RedactingStream => {
  const scan = scanOf(automata)
  // What is held back; stretches of it that are to be masked; up to where a mask that was told reaches.
  const held = heldBytes()
  let spans: Array<Span> = []
  let maskedTo = 0

  const settle = (data: Uint8Array, upTo: number): Uint8Array => {
    const begun = spans.filter(({ start }) => start < upTo)
    const { maskedTo: reached, told } = masking(data, upTo, begun, maskedTo)
    spans = spans.slice(begun.length).map(({ end, start }) => ({ start: start - upTo, end: end - upTo }))
    maskedTo = reached - upTo
    held.keep(data.subarray(upTo))
    return told
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
  const stream = streamOf(automata, replaced)
  const bytes = joined([stream.write(utf8(text)), stream.flush()])
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}

const afterCut = (automata: Automata, text: string): string => {
  const bytes = utf8(text)
  const spans: Array<Span> = []
  scanOf(automata).read(bytes, 0, (start, end) => add(spans, start, end))
  // A value whose beginning is missing reaches no further than this.
  let from = Math.min(automata.reach, bytes.length)
  for (const { end, start } of spans) if (start < from && end > from) from = end
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from))
}
