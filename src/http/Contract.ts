import { HttpApiSchema } from "@effect/platform"
import { Context, Option, ParseResult, Schema } from "effect"
import { quoted } from "../domain/Abridged.ts"
import { isBlank } from "../domain/Blank.ts"
import { readCursor } from "../store/Cursor.ts"

/** What every failure is on the wire: a sentence for people and a word for programs. */
export class Problem extends Schema.Class<Problem>("Problem")({
  error: Schema.String,
  code: Schema.String
}) {
  /** For `catchTag` of who calls the API; the wire has none. */
  readonly _tag = "Problem"
}

/** A failure with a status, as an endpoint declares it. */
export const problem = (status: number) => Problem.annotations(HttpApiSchema.annotations({ status }))

/** An answer with another status than 200. */
export const withStatus = <A, I, R>(status: number, schema: Schema.Schema<A, I, R>) =>
  schema.annotations(HttpApiSchema.annotations({ status }))

/** Answers that are no JSON; what they hold is for the reader. */
export const textOf = (contentType: string) =>
  Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType }))

/**
 * An endpoint whose parameter is a name that people choose. Where another path is written out in its place, it takes
 * its own methods there all the same: a name may be any word.
 */
export class TakesAnyName extends Context.Reference<TakesAnyName>()("agent-runtime/http/TakesAnyName", {
  defaultValue: () => false
}) {}

/** Tells in the OpenAPI document of a header that an endpoint reads by itself. */
export const reads = (name: string, description: string) => (operation: Record<string, unknown>) => ({
  ...operation,
  parameters: [
    ...(Array.isArray(operation.parameters) ? operation.parameters : []),
    { name, in: "header", required: false, schema: { type: "string", description } }
  ]
})

/** Everything that is wrong with an input is told at once, unknown keys among it. */
export const strict = <S extends Schema.Annotable.All>(schema: S): Schema.Annotable.Self<S> =>
  schema.annotations({ parseOptions: { errors: "all", onExcessProperty: "error" } })

/** A parameter that may be left out. */
export const maybe = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

/** A key of a body that may be left out, which null does as well. */
export const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** The parameters of a query. */
export const query = <Fields extends Schema.Struct.Fields>(fields: Fields): Schema.Struct<Fields> =>
  strict(Schema.Struct(fields))

/** Why a parameter that a query holds so often is refused. */
export const standsOften = (count: number): string => `stands ${count} times in the query, once is expected`

/** The text of a parameter, which a query holds once. */
export const words = Schema.String.annotations({
  message: ({ actual }) => (Array.isArray(actual) ? standsOften(actual.length) : "expected text")
})

/** A parameter that is read from its text; `expected` says what it has to be. */
const parameter = <A, I extends string>(
  to: Schema.Schema<A, I>,
  expected: string,
  jsonSchema: object,
  read: (text: string) => I | undefined
) =>
  Schema.transformOrFail(words, to, {
    strict: true,
    decode: (text, _, ast) => {
      const found = read(text)
      return found === undefined
        ? ParseResult.fail(new ParseResult.Type(ast, text, `found ${quoted(text)}; expected ${expected}`))
        : ParseResult.succeed(found)
    },
    encode: (text) => ParseResult.succeed(text)
  }).annotations({ jsonSchema, description: expected })

/** An integer of a range. */
export const whole = (least: number, most: number) =>
  parameter(
    Schema.NumberFromString,
    `an integer from ${least} to ${most}`,
    { type: "integer", minimum: least, maximum: most },
    (text) => (/^\d{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most ? text : undefined)
  )

/** An id of the history, or any other count without an upper end but for what no number holds exactly. */
export const from = (least: number) => whole(least, Number.MAX_SAFE_INTEGER)

/** The place after which a page begins. */
export const cursor = parameter(
  Schema.String,
  "the value of next from the page before, or none for the first page",
  { type: "string" },
  (text) => (text.trim() === "" || Option.isSome(readCursor(text)) ? text : undefined)
)

/** What a blank filter is told: taken, it would find all or nothing, and neither is what it says. */
const SOUGHT = "text that can be seen, or no such filter"
const SEEN = { minLength: 1, pattern: "\\S" }

/** A text that is looked for, as a parameter. */
export const sought = parameter(Schema.String, SOUGHT, { type: "string", ...SEEN }, (text) =>
  isBlank(text) ? undefined : text
)

/** The same in a body. */
export const soughtText = Schema.String.pipe(
  Schema.filter((text) => !isBlank(text), { description: SOUGHT, jsonSchema: SEEN })
)

const SWITCH: ReadonlyMap<string, "1" | "0"> = new Map([
  ["1", "1"],
  ["true", "1"],
  ["0", "0"],
  ["false", "0"]
])

/** A switch. */
export const toggle = parameter(
  Schema.transform(Schema.Literal("1", "0"), Schema.Boolean, {
    strict: true,
    decode: (text) => text === "1",
    encode: (on) => (on ? "1" : "0")
  }),
  "1 or true, 0 or false",
  { type: "string", enum: [...SWITCH.keys()] },
  (text) => SWITCH.get(text)
)

/** One or several words of a choice, separated by commas or given as a repeated parameter. */
export const choices = <const Words extends readonly [string, ...ReadonlyArray<string>]>(words: Words) => {
  const expected = `one or several of ${words.join(", ")}, separated by commas`
  return Schema.transformOrFail(
    Schema.Union(Schema.String, Schema.Array(Schema.String)),
    Schema.Array(Schema.Literal(...words)),
    {
      strict: true,
      decode: (given, _, ast) => {
        const found = (typeof given === "string" ? [given] : given)
          .flatMap((text) => text.split(","))
          .map((text) => text.trim())
        const known = found.filter((text): text is Words[number] => words.includes(text))
        return known.length === found.length
          ? ParseResult.succeed(known)
          : ParseResult.fail(
              new ParseResult.Type(
                ast,
                given,
                `found ${quoted(found.find((text) => !words.includes(text)) ?? "")}; expected ${expected}`
              )
            )
      },
      encode: (list) => ParseResult.succeed(list.join(","))
    }
  ).annotations({ jsonSchema: { type: "string" }, description: expected })
}
