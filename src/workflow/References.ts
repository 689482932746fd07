import { Either, Option } from "effect"
import type { JsonObject } from "../domain/Json.ts"

// How a template refers to the context of its instance:
//   "{{context.topic}}"              the value as it is, whatever its type, where it is the whole text
//   "about {{context.topic}}"        its text inside of other text
//   "{{context.topic | the basics}}" with a default, taken as it stands
//   "{{context.draft | 1}}"          as the whole text: a default that reads as a number, true, false or null is one
//   { "$first": [A, B, C] }          the first of several whose references all have values; null leaves the key out,
//                                    and "1" here is a default that stays text

const REFERENCE = /\{\{([^{}]*)\}\}/g
const WHOLE = /^\{\{([^{}]*)\}\}$/
const CONTEXT_KEY = /^context\.([A-Za-z_][A-Za-z0-9_]*)$/

interface Reference {
  readonly key: string
  readonly otherwise: string | undefined
}

const parse = (inside: string): Option.Option<Reference> => {
  const [name = "", ...rest] = inside.split("|")
  const key = CONTEXT_KEY.exec(name.trim())?.[1]
  if (key === undefined) return Option.none()
  return Option.some({ key, otherwise: rest.length === 0 ? undefined : rest.join("|").trim() })
}

/** What is wrong with the references in a template's value: each that names nothing of the context. */
export const faults = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") {
    const open = value.replace(REFERENCE, "").indexOf("{{")
    return [
      ...[...value.matchAll(REFERENCE)].flatMap(([found, inside = ""]) =>
        Option.isSome(parse(inside)) ? [] : [found]
      ),
      // One that was begun and does not end.
      ...(open === -1 ? [] : [value.replace(REFERENCE, "").slice(open, open + 60)])
    ]
  }
  if (Array.isArray(value)) return value.flatMap(faults)
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(faults) : []
}

/** A value with its references filled in; Left names a key of the context that has no value. */
export const filled = (value: unknown, context: JsonObject): Either.Either<unknown, string> => {
  if (typeof value === "string") return text(value, context)
  if (Array.isArray(value)) return Either.all(value.map((one) => filled(one, context)))
  if (typeof value !== "object" || value === null) return Either.right(value)
  const { $first, ...rest }: JsonObject = { ...value }
  if (Array.isArray($first) && Object.keys(rest).length === 0) return first($first, context)
  return Either.map(
    Either.all(
      Object.entries(value).map(([key, inner]) => Either.map(filled(inner, context), (got) => [key, got]))
    ),
    (entries) => Object.fromEntries(entries.filter(([, got]) => got !== undefined))
  )
}

const first = (choices: ReadonlyArray<unknown>, context: JsonObject): Either.Either<unknown, string> => {
  let missing = ""
  for (const choice of choices) {
    if (choice === null) return Either.right(undefined)
    const found = filled(choice, context)
    if (Either.isRight(found)) return found
    missing = found.left
  }
  return Either.left(missing)
}

const valueOf = ({ key, otherwise }: Reference, context: JsonObject): Either.Either<unknown, string> => {
  const value = Object.hasOwn(context, key) ? context[key] : undefined
  const absent = value === undefined || value === null || value === ""
  if (!absent) return Either.right(value)
  return otherwise === undefined ? Either.left(key) : Either.right(otherwise)
}

const text = (template: string, context: JsonObject): Either.Either<unknown, string> => {
  const whole = Option.flatMap(Option.fromNullable(WHOLE.exec(template)?.[1]), parse)
  if (Option.isSome(whole)) {
    const { key, otherwise } = whole.value
    const value = valueOf({ key, otherwise: undefined }, context)
    return Either.isLeft(value) && otherwise !== undefined ? Either.right(literal(otherwise)) : value
  }
  let missing: string | undefined
  const whatever = template.replace(REFERENCE, (found, inside: string) => {
    const reference = parse(inside)
    if (Option.isNone(reference)) return found
    const value = valueOf(reference.value, context)
    if (Either.isLeft(value)) missing ??= value.left
    return Either.isRight(value) ? asText(value.right) : found
  })
  return missing === undefined ? Either.right(whatever) : Either.left(missing)
}

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null]
])
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/

/** A default that is the whole value, as JSON would have it; a number that has more digits than one keeps is text. */
const literal = (otherwise: string): unknown => {
  const word = WORDS.get(otherwise)
  if (word !== undefined) return word
  const number = NUMBER.test(otherwise) ? Number(otherwise) : Number.NaN
  return Number.isSafeInteger(number) || (otherwise.includes(".") && Number.isFinite(number))
    ? number
    : otherwise
}

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))
