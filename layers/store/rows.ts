import { Either, Option, ParseResult, Schema } from "effect"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { RecordInvalid } from "../../src/store/StoreError.ts"
import type { Row } from "./Sqlite.ts"
import type { Value } from "./statement.ts"

// SQLite has no booleans: these columns are 0 or 1 in the table and false or true on the wire.
const FLAGS = new Set(["untrusted", "stale", "enabled"])

/** More of a problem is not told: a damaged payload must not fill the record of its damage. */
const MOST_OF_A_PROBLEM = 300

/** What a damaged time is shown as where the record must have one. */
export const EPOCH = "1970-01-01T00:00:00.000Z"

/** A reader of an id; one that no record may have, as only another program can write it, is `unreadable`. */
export const idReader = <A>(schema: Schema.Schema<A, string>) => {
  const decode = onFirstUse(() => Schema.decodeUnknownOption(schema))
  return (value: Value | undefined): A =>
    Option.getOrElse(decode()(value), () => Schema.decodeSync(schema)("unreadable"))
}

export interface Wire {
  readonly fields: Readonly<Record<string, unknown>>
  /** JSON columns that do not parse. */
  readonly unparsed: ReadonlyArray<string>
}

/** A row as the wire would have it: `payload_json` becomes `payload`, flags become booleans. */
export const toWire = (row: Row): Wire => {
  const fields: Record<string, unknown> = {}
  const unparsed: Array<string> = []
  for (const [column, value] of Object.entries(row)) {
    if (!column.endsWith("_json")) fields[column] = FLAGS.has(column) ? value === 1 : value
    else if (typeof value !== "string") fields[column.slice(0, -5)] = null
    else
      try {
        fields[column.slice(0, -5)] = JSON.parse(value)
      } catch {
        unparsed.push(column)
        fields[column.slice(0, -5)] = undefined
      }
  }
  return { fields, unparsed }
}

/**
 * A reader of the rows of one table through the record's schema. A row that does not fit is told as
 * RecordInvalid with the column; the row itself is not touched.
 */
export const reader = <A, I>(table: string, idColumn: string, schema: Schema.Schema<A, I>) => {
  const decode = onFirstUse(() => Schema.decodeUnknownEither(schema))
  /** `wire`: what another reader of the same row has made of it. */
  return (row: Row, wire: Wire = toWire(row)): Either.Either<A, RecordInvalid> => {
    const invalid = (problem: string) =>
      new RecordInvalid({
        table,
        id: String(row[idColumn]),
        problem: problem.slice(0, MOST_OF_A_PROBLEM).toWellFormed()
      })
    const { fields, unparsed } = wire
    if (unparsed[0] !== undefined) return Either.left(invalid(`${unparsed[0]} is not JSON`))
    return Either.mapLeft(decode()(fields), (error) => {
      const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
      return invalid(issue === undefined ? error.message : `${issue.path.join(".")}: ${issue.message}`)
    })
  }
}

/**
 * A reader that shows every row, whatever is in it, so that lists go on: what does not decode is shown as its
 * substitute (null where there is none), and `told` puts the problem where an operator sees it.
 */
export const salvager = <A, I>(
  schema: Schema.Schema<A, I>,
  substitutes: Readonly<Record<string, unknown>>,
  told: (problem: string) => Readonly<Record<string, unknown>>
) => {
  const decode = onFirstUse(() => Schema.decodeUnknownEither(schema, { errors: "all" }))
  return (row: Row, problem: string): A => {
    const fields: Record<string, unknown> = { ...toWire(row).fields, ...told(problem) }
    const found = decode()(fields)
    if (Either.isRight(found)) return found.right
    for (const issue of ParseResult.ArrayFormatter.formatErrorSync(found.left)) {
      const field = String(issue.path[0])
      fields[field] = substitutes[field] ?? null
    }
    return Either.getOrThrow(decode()(fields))
  }
}
