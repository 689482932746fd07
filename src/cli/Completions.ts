import * as Args from "@effect/cli/Args"
import * as CliCommand from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Effect, Option } from "effect"
import {
  type ArgumentDefinition,
  completionsOption,
  type Definition,
  globalOptions,
  manOption,
  type OptionDefinition,
  type Shell
} from "./Command.ts"
import { withLive } from "./LiveCompletions.ts"

/**
 * The script that teaches a shell the commands and options, from the command tree of @effect/cli. Commands
 * are not run through that tree, by measurement: loading it and running `Command.run` adds 25-30 ms to a
 * start that reads the configuration and the store in 50-67 ms, and `status` must stay within seven times a
 * bare `bun -e` with one read (9-13 ms on the same machine). So this file is only imported when it is needed.
 */
export const completions = (
  program: string,
  first: Definition,
  rest: ReadonlyArray<Definition>,
  shell: Shell
): Effect.Effect<string> => {
  const make = {
    bash: CliCommand.getBashCompletions,
    zsh: CliCommand.getZshCompletions,
    fish: CliCommand.getFishCompletions
  }[shell]
  const all = [first, ...rest]
  const mend = shell === "bash" ? mendBash(program, all) : withoutBuiltIns
  return Effect.map(make(tree(program, first, rest), program), (lines) =>
    withLive(program, all, shell, mend(lines))
      .map((line) => `${line}\n`)
      .join("")
  )
}

const tree = (program: string, first: Definition, rest: ReadonlyArray<Definition>) =>
  CliCommand.make(program, optionsOf([...globalOptions, completionsOption, manOption])).pipe(
    CliCommand.withSubcommands([branch(first), ...rest.map(branch)])
  )

const branch = (definition: Definition) =>
  CliCommand.make(definition.name, {
    ...optionsOf([...definition.options, ...globalOptions]),
    arguments: Object.fromEntries(definition.arguments.map((one) => [one.name, argumentOf(one)]))
  }).pipe(CliCommand.withDescription(definition.summary))

const optionsOf = (options: ReadonlyArray<OptionDefinition>) => ({
  options: Object.fromEntries(options.map((one) => [one.name, optionOf(one)]))
})

/** How @effect/cli describes the options that it adds to every command; ours stand beside them. */
const BUILT_IN = [
  "Generate a completion script for a specific shell",
  "Sets the minimum log level for a command",
  "Start wizard mode for a command",
  "Show the help documentation for a command",
  "Show the version of the application"
]

const withoutBuiltIns = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.filter((line) => !BUILT_IN.some((description) => line.includes(description)))

/** @effect/cli 0.77 writes patterns that no name with a dash matches, and joins choices by commas. */
const mendBash =
  (program: string, definitions: ReadonlyArray<Definition>) =>
  (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
    const bare = (name: string) => name.replaceAll("-", "__")
    const patterns = new Map<string, string>(
      definitions.map(({ name }) => [`${bare(program)},${bare(name)})`, `${program},${name})`] as const)
    )
    const root = lines.findIndex((line) => line.includes('opts="-'))
    return lines.map((line, at) => {
      const indent = line.slice(0, line.length - line.trimStart().length)
      const pattern = patterns.get(line.trim())
      if (pattern !== undefined) return indent + pattern
      const choices = /^(.*compgen -W ")([^"$]*)(".*)$/.exec(line)
      if (choices !== null) return `${choices[1]}${choices[2]?.replaceAll(",", " ")}${choices[3]}`
      const words = /^\s*opts="(-[^"]*)"$/.exec(line)?.[1]
      return words === undefined ? line : `${indent}opts="${offered(words, at === root)}"`
    })
  }

const offered = (words: string, isRoot: boolean): string =>
  [...new Set(words.split(" "))]
    .filter((word) => word !== "--wizard" && (isRoot || word !== `--${completionsOption.name}`))
    .join(" ")

const optionOf = (option: OptionDefinition): CliOptions.Options<unknown> => {
  if (option.kind === "flag")
    return CliOptions.boolean(option.name).pipe(
      aliased(option),
      CliOptions.withDescription(option.description)
    )
  const one = valued(option).pipe(aliased(option), CliOptions.withDescription(option.description))
  if (option.list === true) return CliOptions.repeated(one)
  if (option.required === true) return one
  return option.default === undefined ? CliOptions.optional(one) : CliOptions.withDefault(one, option.default)
}

const aliased =
  ({ short }: OptionDefinition) =>
  <A>(one: CliOptions.Options<A>): CliOptions.Options<A> =>
    short === undefined ? one : CliOptions.withAlias(one, short)

const valued = (
  option: Exclude<OptionDefinition, { readonly kind: "flag" }>
): CliOptions.Options<unknown> => {
  switch (option.kind) {
    case "integer":
      return CliOptions.integer(option.name)
    case "number":
      return CliOptions.float(option.name)
    case "choice":
      return CliOptions.choice(option.name, option.values)
    case "path":
      return CliOptions.file(option.name)
    case "json":
    case "text":
      return CliOptions.text(option.name)
  }
}

const argumentOf = (argument: ArgumentDefinition): Args.Args<Option.Option<string>> => {
  const one = Args.text({ name: argument.name }).pipe(Args.withDescription(argument.description))
  return argument.required ? Args.map(one, Option.some) : Args.optional(one)
}
