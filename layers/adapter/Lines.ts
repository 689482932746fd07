import type { Redactor } from "../../src/domain/Redactor.ts"

/** A line beyond this is dropped: no program's message is that long, and memory stays bounded. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const KEPT_BYTES = 64 * 1024
const LF = 0x0a
const CR = 0x0d

export interface Lines {
  readonly write: (chunk: Uint8Array) => void
  /** Hands over a last line that has no end. */
  readonly end: () => void
  /** How many lines were longer than 8 MiB and dropped. */
  readonly dropped: () => number
}

/** Splits bytes into lines (LF or CRLF), as UTF-8 with replacement, however they come in pieces. */
export const makeLines = (take: (line: string) => void): Lines => {
  const decoder = new TextDecoder()
  let held = new Uint8Array(0)
  let used = 0
  let overlong = false
  let dropped = 0
  const hold = (bytes: Uint8Array): void => {
    if (overlong || used + bytes.length > MAX_LINE_BYTES) {
      overlong = true
      return
    }
    if (used + bytes.length > held.length) {
      const grown = new Uint8Array(Math.min(MAX_LINE_BYTES, Math.max(8192, 2 * (used + bytes.length))))
      grown.set(held.subarray(0, used))
      held = grown
    }
    held.set(bytes, used)
    used += bytes.length
  }
  const told = (bytes: Uint8Array, from: number, to: number): void => {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to
    take(end === from ? "" : decoder.decode(bytes.subarray(from, end)))
  }
  const finish = (): void => {
    if (overlong) dropped++
    else told(held, 0, used)
    used = 0
    overlong = false
    if (held.length > KEPT_BYTES) held = new Uint8Array(0)
  }
  return {
    write: (chunk) => {
      let from = 0
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
        if (used === 0 && !overlong && at - from <= MAX_LINE_BYTES) told(chunk, from, at)
        else {
          hold(chunk.subarray(from, at))
          finish()
        }
        from = at + 1
      }
      if (from < chunk.length) hold(chunk.subarray(from))
    },
    end: () => {
      if (used > 0 || overlong) finish()
    },
    dropped: () => dropped
  }
}

/** A text as one line of at most `most` characters, its end cut, without what steers a terminal. */
export const oneLine = (text: string, most: number): string => {
  const plain = Bun.stripANSI(text.slice(0, 4 * most)).replace(/[\p{Cc}\s]+/gu, " ")
  const words = plain.trim()
  return words.length <= most && text.length <= 4 * most
    ? words
    : `${words.slice(0, most - 1)}…`.toWellFormed()
}

/** A text as one line of at most `most` characters that holds no secret. */
export type Plain = (text: string, most: number) => string

/** Masks before it cuts: what is left of a secret would be known to nobody. */
export const plainly =
  (redactor: Redactor): Plain =>
  (text, most) =>
    oneLine(redactor.text(text), most)
