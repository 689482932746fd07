import { Either, Option } from "effect"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import { found } from "../config/Shown.ts"
import {
  camel,
  completionsOption,
  type Definition,
  type Globals,
  globalOptions,
  type LogLevel,
  logLevels,
  manOption,
  type OptionDefinition,
  type ParsedInput,
  type Shell,
  shells
} from "./Command.ts"
import { argumentTerm, read, readArgument } from "./OptionValue.ts"
import { UsageError, type UsageProblem } from "./UsageError.ts"
import { type Given, type Read, words } from "./Words.ts"

/** What a command line asks for. */
export type Request =
  | { readonly _tag: "Help"; readonly of: Definition | undefined }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completions"; readonly shell: Shell }
  | { readonly _tag: "Manual" }
  | {
      readonly _tag: "Run"
      readonly definition: Definition
      readonly input: ParsedInput
      readonly globals: Globals
    }

const builtIn: ReadonlyArray<OptionDefinition> = [...globalOptions, completionsOption, manOption]

/**
 * Understands a command line. Options stand anywhere, as `--name value` or `--name=value`; `--` ends them;
 * `-` is an argument. A value that begins with `-` is given with `=`, numbers excepted. Left names every
 * problem that can be told.
 */
export const parse = (
  definitions: ReadonlyArray<Definition>,
  argv: ReadonlyArray<string>
): Either.Either<Request, UsageError> => {
  const name = commandWord(definitions, argv)
  const asked = definitions.find((one) => one.name === name?.word)
  if (name !== undefined && name.word === "help" && asked === undefined)
    return helpOf(
      definitions,
      argv.filter((_, at) => at !== name.at)
    )
  if (name !== undefined && asked === undefined)
    return Either.left(unknownCommand(definitions, name.word, argv.slice(0, name.at)))
  const rest = name === undefined ? argv : argv.filter((_, at) => at !== name.at)
  const line = words(asked === undefined ? builtIn : [...asked.options, ...globalOptions], rest)
  if (line.given.some((one) => one.option.name === "help" && one.option.kind === "flag"))
    return Either.right({ _tag: "Help", of: asked })
  if (line.given.some((one) => one.option.name === "version" && one.option.kind === "flag"))
    return Either.right({ _tag: "Version" })
  return asked === undefined ? withoutCommand(line) : run(asked, line)
}

/** How errors are to be printed, told from a command line that may be wrong in every other way. */
export const wantsJson = (argv: ReadonlyArray<string>): boolean =>
  argv.some(
    (word, at) =>
      /^(--output=|-o=?)json$/.test(word) ||
      (word === "json" && (argv[at - 1] === "--output" || argv[at - 1] === "-o"))
  )

/** Whether a stack is wanted, told from a command line that may be wrong in every other way. */
export const wantsDebug = (argv: ReadonlyArray<string>): boolean =>
  argv.some(
    (word, at) => word === "--log-level=debug" || (word === "debug" && argv[at - 1] === "--log-level")
  )

/** The command's name is the first word that is neither an option nor the value of one. */
const commandWord = (definitions: ReadonlyArray<Definition>, argv: ReadonlyArray<string>) => {
  const options = [...builtIn, ...definitions.flatMap((one) => one.options)]
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === "--") return argv[at + 1] === undefined ? undefined : { word: argv[at + 1]!, at: at + 1 }
    if (word === "-" || !word.startsWith("-")) return { word, at }
    const named = options.find((one) =>
      word.startsWith("--") ? `--${one.name}` === word : one.short !== undefined && `-${one.short}` === word
    )
    if (named !== undefined && named.kind !== "flag") at++
  }
  return undefined
}

const unknownCommand = (
  definitions: ReadonlyArray<Definition>,
  word: string,
  before: ReadonlyArray<string>
): UsageError => {
  const line = words([...builtIn, ...definitions.flatMap((one) => one.options)], before)
  // The word may be the value of an option that nobody knows.
  if (line.uncertain) return new UsageError({ command: "", problems: line.problems })
  const names = definitions.filter((one) => one.hidden !== true).map((one) => one.name)
  return new UsageError({
    command: "",
    problems: [{ wrong: `there is no command ${found(word, [])}`, remedy: meant(word, names) }]
  })
}

/** More commands than these are no suggestion. */
const MOST_MEANT = 8

/** The commands that have the word in them, or the one that is close; else all. */
const meant = (word: string, names: ReadonlyArray<string>): string => {
  const holding = names.filter((name) => name.split("-").includes(word.toLowerCase()))
  const likely = nearest(word, names)
  if (holding.length > 1 && holding.length <= MOST_MEANT) return `did you mean one of ${holding.join(", ")}?`
  return likely === undefined ? `the commands are ${names.join(", ")}` : didYouMean(likely)
}

const helpOf = (
  definitions: ReadonlyArray<Definition>,
  rest: ReadonlyArray<string>
): Either.Either<Request, UsageError> => {
  // The values of options are no words; what else is wrong with them matters to no help.
  const [word] = words(builtIn, rest).words
  const asked = definitions.find((one) => one.name === word)
  return word !== undefined && asked === undefined
    ? Either.left(unknownCommand(definitions, word, []))
    : Either.right({ _tag: "Help", of: asked })
}

const withoutCommand = (line: Read): Either.Either<Request, UsageError> => {
  const { values, problems } = settle(builtIn, line)
  const shell = shells.find((one) => one === values.get("completions"))
  if (problems.length > 0) return Either.left(new UsageError({ command: "", problems }))
  if (values.get("man") === true) return Either.right({ _tag: "Manual" })
  if (shell !== undefined) return Either.right({ _tag: "Completions", shell })
  return line.given.length === 0
    ? Either.right({ _tag: "Help", of: undefined })
    : Either.left(
        new UsageError({ command: "", problems: [{ wrong: "there is no command", remedy: "name one" }] })
      )
}

const run = (definition: Definition, line: Read): Either.Either<Request, UsageError> => {
  const { values, problems } = settle([...definition.options, ...globalOptions], line)
  const places = arguments_(definition, line.words)
  const all = [...problems, ...(line.uncertain ? [] : places.problems)]
  if (all.length > 0) return Either.left(new UsageError({ command: definition.name, problems: all }))
  const output = values.get("output")
  const logLevel: LogLevel | undefined = logLevels.find((one) => one === values.get("log-level"))
  const config = values.get("config")
  return Either.right({
    _tag: "Run",
    definition,
    input: { ...places.input, ...Object.fromEntries(inputs(definition.options, values)) },
    globals: {
      config: typeof config === "string" ? Option.some(config) : Option.none(),
      output: output === "json" || output === "table" ? Option.some(output) : Option.none(),
      logLevel: Option.fromNullable(logLevel)
    }
  })
}

type Value = string | number | boolean | ReadonlyArray<string | number>

/** The values of the options that were given, and what is wrong with them or with their being absent. */
const settle = (options: ReadonlyArray<OptionDefinition>, line: Read) => {
  const values = new Map<string, Value>()
  const problems: Array<UsageProblem> = [...line.problems]
  for (const option of options) {
    const given = line.given.filter((one) => one.option === option)
    if (option.kind === "flag") {
      if (given.length > 0) values.set(option.name, true)
      continue
    }
    if (given.length === 0) {
      if (option.required === true && !line.faulty.has(option.name)) problems.push(missing(option))
      continue
    }
    if (given.length > 1 && option.list !== true) problems.push(twice(option, given))
    const texts = given.flatMap(({ value }) =>
      option.separator === undefined ? [value] : value.split(option.separator)
    )
    const results = texts.map((text) => read(option, option.separator === undefined ? text : text.trim()))
    for (const result of results) if (Either.isLeft(result)) problems.push(result.left)
    const good = results.flatMap((result) => (Either.isRight(result) ? [result.right] : []))
    if (option.list === true) values.set(option.name, good)
    else if (good[0] !== undefined) values.set(option.name, good[0])
  }
  return { values, problems }
}

/** Absence in the terms of `InputOf`: false, an empty list, the default, None. */
const inputs = (options: ReadonlyArray<OptionDefinition>, values: ReadonlyMap<string, Value>) =>
  options.map((option): readonly [string, unknown] => {
    const value = values.get(option.name)
    const key = camel(option.name)
    if (option.kind === "flag") return [key, value === true]
    if (option.list === true) return [key, value ?? []]
    if (option.required === true) return [key, value]
    if (option.default !== undefined) return [key, value ?? option.default]
    return [key, Option.fromNullable(value)]
  })

const missing = (option: OptionDefinition): UsageProblem => ({
  wrong: `--${option.name} is missing: ${option.description}`,
  remedy: ""
})

const twice = (option: OptionDefinition, given: ReadonlyArray<Given>): UsageProblem => ({
  wrong: `--${option.name} is given ${given.length} times (${given.map((one) => found(one.value, [option.name])).join(", ")})`,
  remedy: "give it once"
})

const arguments_ = (definition: Definition, given: ReadonlyArray<string>) => {
  const problems: Array<UsageProblem> = []
  const input: Record<string, unknown> = {}
  definition.arguments.forEach((argument, place) => {
    const text = given[place]
    if (text === undefined) {
      if (argument.required)
        problems.push({
          wrong: `${argumentTerm(argument)} is missing: ${argument.description}`,
          remedy: ""
        })
      else input[camel(argument.name)] = Option.none()
      return
    }
    const value = readArgument(argument, text)
    if (Either.isLeft(value)) problems.push(value.left)
    else input[camel(argument.name)] = argument.required ? value.right : Option.some(value.right)
  })
  const extra = given.slice(definition.arguments.length)
  if (extra.length > 0) problems.push(tooMany(definition, extra))
  return { input, problems }
}

const tooMany = (definition: Definition, extra: ReadonlyArray<string>): UsageProblem => {
  const names = definition.arguments.map(argumentTerm)
  const shown = extra.map((one) => found(one, [])).join(", ")
  return {
    wrong: `${definition.name} does not know what to do with ${shown}: it takes ${names.length === 0 ? "no argument" : names.join(" ")}`,
    remedy: ""
  }
}
