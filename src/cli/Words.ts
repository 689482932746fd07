import { nearest, remedyFor } from "../config/NearMiss.ts"
import { found } from "../config/Shown.ts"
import { abridged } from "../domain/Abridged.ts"
import type { OptionDefinition } from "./Command.ts"
import { expected } from "./OptionValue.ts"
import type { UsageProblem } from "./UsageError.ts"

/** An option as it was given; a flag has the value "". */
export interface Given {
  readonly option: OptionDefinition
  readonly value: string
}

/** A command line taken apart, without its command's name. */
export interface Read {
  readonly given: ReadonlyArray<Given>
  /** The arguments, in order. */
  readonly words: ReadonlyArray<string>
  readonly problems: ReadonlyArray<UsageProblem>
  /** Names of options that were given with nothing behind them, or meant by a word that is close. */
  readonly faulty: ReadonlySet<string>
  /** An option was not known, so that nobody can tell whether the next word is its value or an argument. */
  readonly uncertain: boolean
}

/** Takes a command line apart into options and arguments; what does not fit is a problem, and the rest goes on. */
export const words = (options: ReadonlyArray<OptionDefinition>, argv: ReadonlyArray<string>): Read => {
  const given: Array<Given> = []
  const plain: Array<string> = []
  const problems: Array<UsageProblem> = []
  const faulty = new Set<string>()
  let uncertain = false
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === "--") {
      plain.push(...argv.slice(at + 1))
      break
    }
    if (word === "-" || !word.startsWith("-")) {
      plain.push(word)
      continue
    }
    const { name, value } = split(word)
    const option = options.find((one) => (name.startsWith("--") ? `--${one.name}` : `-${one.short}`) === name)
    if (option === undefined) {
      uncertain = true
      problems.push(unknown(options, name, word))
      const meant = nearest(name.slice(2), namesOf(options))
      if (meant !== undefined) faulty.add(meant)
    } else if (option.kind === "flag") {
      if (value === undefined) given.push({ option, value: "" })
      else problems.push(noValue(option, value))
    } else if (value !== undefined) given.push({ option, value })
    else {
      const next = argv[at + 1]
      if (next !== undefined && isValue(option, next)) {
        given.push({ option, value: next })
        at++
      } else {
        faulty.add(option.name)
        problems.push(valueMissing(option, next))
      }
    }
  }
  return { given, words: plain, problems, faulty, uncertain }
}

/** `--name=value`, `-o=value` and `-ovalue`. */
const split = (word: string): { readonly name: string; readonly value: string | undefined } => {
  const equals = word.indexOf("=")
  if (word.startsWith("--"))
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) }
  const rest = word.slice(2)
  return { name: word.slice(0, 2), value: rest === "" ? undefined : rest.replace(/^=/, "") }
}

const isValue = (option: OptionDefinition, next: string): boolean =>
  next === "-" ||
  !next.startsWith("-") ||
  ((option.kind === "integer" || option.kind === "number") && /^-[\d.]/.test(next))

const namesOf = (options: ReadonlyArray<OptionDefinition>): ReadonlyArray<string> =>
  options.map((one) => one.name)

const unknown = (options: ReadonlyArray<OptionDefinition>, name: string, word: string): UsageProblem => {
  if (!name.startsWith("--"))
    return {
      wrong: `there is no option ${found(word, [])}`,
      remedy: "an argument that begins with - stands after --"
    }
  const bare = name.slice(2)
  const remedy = remedyFor(bare, namesOf(options), "options")
  return {
    wrong: `there is no option ${found(name, [])}`,
    remedy: remedy.startsWith("did you mean `") ? remedy.replace("`", "`--") : ""
  }
}

const noValue = (option: OptionDefinition, value: string): UsageProblem => ({
  wrong: `--${option.name} takes no value, found ${found(value, [option.name])}`,
  remedy: ""
})

const valueMissing = (
  option: Exclude<OptionDefinition, { kind: "flag" }>,
  next: string | undefined
): UsageProblem => ({
  wrong: `--${option.name} needs a value, ${expected(option)}`,
  remedy:
    next === undefined
      ? ""
      : `a value that begins with - is given with an equals sign: --${option.name}=${abridged(next, 40)}`
})
