import * as Args from "@effect/cli/Args"
import * as CliCommand from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Effect, Option } from "effect"
import {
  type ArgumentDefinition,
  type Definition,
  globalOptions,
  type OptionDefinition,
  type Shell
} from "./Command.ts"

/**
 * The command tree of @effect/cli, made from the same definitions. It answers completions; commands are not
 * run through it, by measurement: loading it and running `Command.run` adds 25-30 ms to a start that reads
 * the configuration and the store in 50-67 ms, and `status` must stay within seven times a bare
 * `bun -e` with one read (9-13 ms on the same machine). So nothing imports this file but a dynamic import.
 * A test holds that tree and parser give the same values.
 */
export const tree = (program: string, first: Definition, rest: ReadonlyArray<Definition>) =>
  CliCommand.make(program).pipe(CliCommand.withSubcommands([branch(first), ...rest.map(branch)]))

/** The script that teaches a shell the commands and options. */
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
  return Effect.map(make(tree(program, first, rest), program), (lines) =>
    withoutWizard(shell, lines)
      .map((line) => `${line}\n`)
      .join("")
  )
}

/** One command of the tree; its handler does nothing. */
const branch = (definition: Definition) =>
  CliCommand.make(definition.name, {
    options: Object.fromEntries(
      [...definition.options, ...globalOptions.filter((one) => !BUILT_IN.has(one.name))].map((one) => [
        one.name,
        optionOf(one)
      ])
    ),
    arguments: Object.fromEntries(definition.arguments.map((one) => [one.name, argumentOf(one)]))
  }).pipe(CliCommand.withDescription(definition.summary))

/** Options that @effect/cli adds to every command by itself. */
const BUILT_IN: ReadonlySet<string> = new Set(["help", "version", "log-level"])

/** The one built-in option that this program does not have. */
const withoutWizard = (shell: Shell, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  shell === "bash"
    ? lines.map((line) => line.replace(/ --wizard\b/, ""))
    : lines.filter((line) => !/(--|-l )wizard\b/.test(line))

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
      // With a separator one value holds several words, which @effect/cli's choice does not know.
      return option.separator === undefined
        ? CliOptions.choice(option.name, option.values)
        : CliOptions.text(option.name)
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
