import { Either } from "effect"
import { remedyFor } from "../config/NearMiss.ts"
import { found } from "../config/Shown.ts"
import { isBlank } from "../domain/Blank.ts"
import type { ArgumentDefinition, OptionDefinition } from "./Command.ts"
import type { UsageProblem } from "./UsageError.ts"

export type Valued = Exclude<OptionDefinition, { readonly kind: "flag" }>

/** The value of an option as it was written; Left says what is wrong with it. */
export const read = (option: Valued, text: string): Either.Either<string | number, UsageProblem> => {
  switch (option.kind) {
    case "integer":
    case "number":
      return readNumber(option, text)
    case "choice":
      return option.values.includes(text)
        ? Either.right(text)
        : notOffered(`--${option.name}`, option.values, text)
    case "json":
    case "path":
      return text.trim() === "" ? unfit(`--${option.name}`, text, expected(option)) : Either.right(text)
    case "text":
      return option.filled === true && isBlank(text)
        ? unfit(`--${option.name}`, text, SEEN)
        : Either.right(text)
  }
}

/** A positional argument as it was written. */
export const readArgument = (
  argument: ArgumentDefinition,
  text: string
): Either.Either<string, UsageProblem> => {
  const name = argumentTerm(argument)
  if (argument.values !== undefined && !argument.values.includes(text))
    return notOffered("the argument", argument.values, text)
  return isBlank(text) ? unfit(name, text, SEEN) : Either.right(text)
}

/** How an argument stands in help and errors: its only words, else its name. */
export const argumentTerm = ({ name, values }: ArgumentDefinition): string =>
  values?.join("|") ?? name.toUpperCase()

/** What an option takes, in words: `an integer from 1 to 500`. */
export const expected = (option: Valued): string => {
  switch (option.kind) {
    case "integer":
      return `an integer${range(option)}`
    case "number":
      return `a number${range(option)}`
    case "choice":
      return `one of ${option.values.join(", ")}`
    case "json":
      return "JSON text"
    case "path":
      return "a path"
    case "text":
      return option.value === undefined ? "text" : `text (${option.value})`
  }
}

/** `from 1 to 500`, with a blank before it; empty without bounds. */
export const range = ({ min, max }: { readonly min?: number; readonly max?: number }): string => {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? "" : ` of at most ${max}`
}

/** What a text is in which nothing is. */
const SEEN = "text that can be seen"

const readNumber = (
  option: Extract<OptionDefinition, { readonly kind: "integer" | "number" }>,
  text: string
): Either.Either<number, UsageProblem> => {
  const shape = option.kind === "integer" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
  const value = Number(text)
  const fits =
    shape.test(text) &&
    (option.kind === "number" ? Number.isFinite(value) : Number.isSafeInteger(value)) &&
    value >= (option.min ?? Number.NEGATIVE_INFINITY) &&
    value <= (option.max ?? Number.POSITIVE_INFINITY)
  // -0 is not a number that anybody means.
  if (fits) return Either.right(value === 0 ? 0 : value)
  // The end of what a number holds exactly is only told of to who meets it.
  const told =
    option.kind === "integer" && value > Number.MAX_SAFE_INTEGER ? { max: Number.MAX_SAFE_INTEGER } : {}
  return unfit(`--${option.name}`, text, expected({ ...told, ...option }))
}

const unfit = (name: string, text: string, wanted: string): Either.Either<never, UsageProblem> =>
  Either.left({ wrong: `${name}: found ${found(text, [name])}, expected ${wanted}`, remedy: "" })

const notOffered = (
  name: string,
  values: ReadonlyArray<string>,
  text: string
): Either.Either<never, UsageProblem> => {
  const remedy = remedyFor(text, values, "values")
  return Either.left({
    wrong: `${name}: found ${found(text, [name])}, expected one of ${values.join(", ")}`,
    remedy: remedy.startsWith("did you mean") ? remedy : ""
  })
}
