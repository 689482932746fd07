import { DateTime, Either, Encoding, Option, Schema } from "effect"
import { JsonObject } from "../../domain/Json.ts"
import { Time } from "../../domain/Time.ts"
import { onFirstUse } from "../../domain/Wire.ts"
import type { OriginalRow } from "../Original.ts"

const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
/** As SQLite's own functions write a time. */
const BY_SQLITE = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/

const decodeTime = onFirstUse(() => Schema.decodeUnknownOption(Time))
const decodeObject = onFirstUse(() => Schema.decodeUnknownEither(JsonObject))

/** A time of another program as ours are written; none when it is none. */
export const timeText = (text: string): Option.Option<string> => {
  const [, day, clock] = BY_SQLITE.exec(text) ?? []
  const decoded = decodeTime()(day === undefined ? text : `${day}T${clock}Z`)
  return Option.map(decoded, DateTime.formatIso)
}

/** A JSON object in a text; none when it is none, or cannot be stored without loss. */
export const objectIn = (text: string): Option.Option<JsonObject> => {
  try {
    return Either.getRight(decodeObject()(JSON.parse(text)))
  } catch {
    return Option.none()
  }
}

/**
 * Reads the cells of one row and keeps account of what did not fit: `problems` are damage, and `changed` tells
 * whether anything is written otherwise than it was, so that the row is kept as it was beside it.
 */
export class Cells {
  readonly problems: Array<string> = []
  changed = false

  constructor(readonly row: OriginalRow) {}

  /** What stands there; a column that is missing is empty. */
  raw(name: string): string | number | Uint8Array | null {
    return this.row.cells[name] ?? null
  }

  damaged<A>(name: string, expected: string, instead: A): A {
    const problem = `${name} is not ${expected}`
    if (!this.problems.includes(problem)) this.problems.push(problem)
    this.changed = true
    return instead
  }

  /** Says that what is written is not what stood there, by a rule that is no damage. */
  mapped<A>(value: A): A {
    this.changed = true
    return value
  }

  /** Text that must be there. */
  text(name: string, instead: string): string {
    const value = this.raw(name)
    return typeof value === "string" && value !== "" && value.isWellFormed()
      ? value
      : this.damaged(name, "text", instead)
  }

  /** An id of 1 to 200 characters. */
  id(name: string, instead: string): string {
    const value = this.raw(name)
    return typeof value === "string" && value !== "" && value.length <= 200
      ? value
      : this.damaged(name, "an id of 1 to 200 characters", instead)
  }

  /** Text that may be absent. */
  optional(name: string): string | null {
    const value = this.raw(name)
    if (value === null || typeof value === "string") return value
    return typeof value === "number" ? this.mapped(String(value)) : this.damaged(name, "text", null)
  }

  /** A name that may be absent; the original writes an empty text for none. */
  named(name: string): string | null {
    const value = this.optional(name)
    return value === "" ? null : value
  }

  whole(name: string, least: number, instead: number): number {
    const value = this.raw(name)
    return typeof value === "number" && Number.isSafeInteger(value) && value >= least
      ? value
      : this.damaged(name, `an integer of at least ${least}`, instead)
  }

  time(name: string, instead: string): string {
    return this.optionalTime(name) ?? this.damaged(name, "a time", instead)
  }

  optionalTime(name: string): string | null {
    const value = this.raw(name)
    if (value === null || value === "") return null
    const found = typeof value === "string" ? timeText(value) : Option.none()
    if (Option.isNone(found)) return this.damaged(name, "a time", null)
    if (typeof value === "string" && !CANONICAL.test(value)) this.changed = true
    return found.value
  }

  /** The text of a JSON object as it stands, or that of an empty one. */
  object(name: string): string {
    const value = this.raw(name)
    return typeof value === "string" && Option.isSome(objectIn(value))
      ? value
      : this.damaged(name, "a JSON object", "{}")
  }

  /** A word of ours for a word of the original; other words are damage. */
  word<W extends string>(name: string, words: Readonly<Record<string, W>>, instead: W): W {
    const value = this.raw(name)
    const ours = typeof value === "string" ? words[value.trim().toLowerCase()] : undefined
    if (ours === undefined) return this.damaged(name, `a ${name} that is known here`, instead)
    return ours === value ? ours : this.mapped(ours)
  }

  /** Columns of the original that have no place here and are not empty. */
  rest(known: ReadonlySet<string>): void {
    for (const [name, value] of Object.entries(this.row.cells))
      if (!known.has(name) && value !== null && value !== "") this.changed = true
  }

  /** The row, word for word; bytes as base64. */
  get asItWas(): string {
    return JSON.stringify(this.row.cells, (_, value: unknown) =>
      value instanceof Uint8Array
        ? { base64: Encoding.encodeBase64(value) }
        : typeof value === "string"
          ? value.toWellFormed()
          : value
    )
  }
}
