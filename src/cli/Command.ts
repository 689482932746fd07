import { Context, Effect, type Layer, Option, type Types } from "effect"
import type { CandidateKind } from "../operate/CandidateKinds.ts"
import type { Doc } from "./Doc.ts"
import type { Terminal } from "./Terminal.ts"

interface Named {
  /** As it stands on the command line: `dry-run`, `instance_key`. The input has it in camelCase. */
  readonly name: string
  readonly description: string
}

interface Valued extends Named {
  /** What its value names, for completions. */
  readonly live?: CandidateKind
  /** What stands for the value in the help; the kind's own word when absent. */
  readonly value?: string
  readonly required?: boolean
  /** Where it is true, a text of which nothing can be seen is none. */
  readonly filled?: true
  /** May be given several times; with `separator`, one value may also hold several. */
  readonly list?: boolean
  readonly separator?: ","
}

/** An option of a command, as data. `json` stays text: parsing it is `Input`'s. */
export type OptionDefinition =
  | (Named & { readonly kind: "flag"; readonly short?: string })
  | (Valued & { readonly kind: "text" | "json" | "path"; readonly short?: string; readonly default?: string })
  | (Valued & {
      readonly kind: "integer" | "number"
      readonly short?: string
      readonly min?: number
      readonly max?: number
      readonly default?: number
    })
  | (Valued & {
      readonly kind: "choice"
      readonly short?: string
      readonly values: ReadonlyArray<string>
      readonly default?: string
    })

/** A word that a command takes by its place; with `values` only those. */
export interface ArgumentDefinition extends Named {
  readonly required: boolean
  readonly values?: ReadonlyArray<string>
  /** What it names, for completions. */
  readonly live?: CandidateKind
}

export interface ExitCode {
  readonly code: number
  readonly when: string
}

/** What a command is, for the parser, the help and the completions. */
export interface Definition {
  readonly name: string
  /** The heading below which the program's help lists it. */
  readonly group: string
  /** One line, no full stop, at most 60 characters. */
  readonly summary: string
  readonly description?: string
  /** What follows the command's name in the usage line, where it cannot be told from the options. */
  readonly usage?: string
  /** A command line that works, the program's name first. */
  readonly example: string
  readonly arguments: ReadonlyArray<ArgumentDefinition>
  readonly options: ReadonlyArray<OptionDefinition>
  /** Replaces the sentences of the usual exit codes. */
  readonly exits?: ReadonlyArray<ExitCode>
  /** For programs, not for people: no help lists it and no completion offers it. */
  readonly hidden?: boolean
  /** Runs until it is told to end: a signal is then no failure (exit 0), and it logs from `info` on. */
  readonly resident?: boolean
}

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<Camel<Tail>>}`
    : S

type Single<O> = O extends { readonly values: ReadonlyArray<infer V> }
  ? V
  : O extends { readonly kind: "integer" | "number" }
    ? number
    : string

type ValueOf<O> = O extends { readonly kind: "flag" }
  ? boolean
  : O extends { readonly list: true }
    ? ReadonlyArray<Single<O>>
    : O extends { readonly required: true } | { readonly default: string | number }
      ? Single<O>
      : Option.Option<Single<O>>

/** What `run` gets: arguments and options by name in camelCase; absence is Option, lists are never absent. */
export type InputOf<
  A extends ReadonlyArray<ArgumentDefinition>,
  O extends ReadonlyArray<OptionDefinition>
> = Types.Simplify<
  { readonly [K in A[number] as Camel<K["name"]>]: ValueOf<K> } & {
    readonly [K in O[number] as Camel<K["name"]>]: ValueOf<K>
  }
>

/** A command: its definition and its program. */
export interface Command<
  A extends ReadonlyArray<ArgumentDefinition>,
  O extends ReadonlyArray<OptionDefinition>,
  Result,
  E,
  R
> extends Definition {
  readonly arguments: A
  readonly options: O
  /** Answers the result as wire JSON; `undefined` when it has written everything itself (`Output.emit`). */
  readonly run: (input: InputOf<A, O>) => Effect.Effect<Result, E, R>
  /** The answer to give where the layers of the command fail with this error; none: that is its failure. */
  readonly instead?: (error: unknown) => Option.Option<Effect.Effect<Result>>
  /** The result as a person reads it; without it, one is made from the shape of the JSON. */
  readonly view?: (result: Result) => Doc
  /** 0 without it; 1 for an answer that is "no". */
  readonly exitCode?: (result: Result) => 0 | 1
}

/** Makes a command; the type of `run`'s input follows from the arguments and options. */
export const command = <
  const A extends ReadonlyArray<ArgumentDefinition>,
  const O extends ReadonlyArray<OptionDefinition>,
  Result,
  E,
  R
>(
  definition: Command<A, O, Result, E, R>
): Command<A, O, Result, E, R> => definition

export const logLevels = ["debug", "info", "warning", "error", "none"] as const
export type LogLevel = (typeof logLevels)[number]
export const shells = ["bash", "zsh", "fish"] as const
export type Shell = (typeof shells)[number]

/** The options that every command takes, before or after its name. */
export const globalOptions = [
  {
    name: "config",
    kind: "path",
    description: "The configuration file; else AGENT_RUNTIME_CONFIG, else config/runtime.json."
  },
  {
    name: "output",
    short: "o",
    kind: "choice",
    values: ["json", "table"],
    description: "How the result is printed: table on a terminal, json otherwise."
  },
  {
    name: "log-level",
    kind: "choice",
    value: "LEVEL",
    values: logLevels,
    description: "What is logged on stderr; debug adds the stack of an error."
  },
  { name: "help", short: "h", kind: "flag", description: "Print this help." },
  { name: "version", kind: "flag", description: "Print the version." }
] as const satisfies ReadonlyArray<OptionDefinition>

/** Stands without a command. */
export const completionsOption = {
  name: "completions",
  kind: "choice",
  value: "SHELL",
  values: shells,
  description: "Print completions for a shell, to be sourced by it."
} as const satisfies OptionDefinition

/** Stands without a command. */
export const manOption = {
  name: "man",
  kind: "flag",
  description: "Print the manual page, for man -l -."
} as const satisfies OptionDefinition

/** The options of every command as they were given. */
export interface Globals {
  readonly config: Option.Option<string>
  readonly output: Option.Option<"json" | "table">
  readonly logLevel: Option.Option<LogLevel>
}

/** How this run prints: what the options, the terminal and NO_COLOR come to. */
export class Session extends Context.Tag("agent-runtime/cli/Session")<
  Session,
  {
    readonly command: string
    readonly output: "json" | "table"
    readonly colour: boolean
    /** The width to fit into; none: as wide as the content. */
    readonly columns: Option.Option<number>
  }
>() {}

/** What every command may use without a layer of its own. */
export type Frame = Terminal | Session

/** A result with how to show it. */
export interface Answer {
  readonly value: unknown
  readonly view: (() => Doc) | undefined
  readonly exitCode: number
}

/** The arguments and options of one run, by name in camelCase; made by `Arguments.parse` only. */
export interface ParsedInput {
  readonly [name: string]: unknown
}

/** A command that can be run: its layers are chosen. */
export interface Bound {
  readonly definition: Definition
  readonly execute: (input: ParsedInput, globals: Globals) => Effect.Effect<Answer, unknown, Frame>
}

/** Chooses the layers of a command. They are loaded and built when it runs, and only then. */
export const bind = <
  const A extends ReadonlyArray<ArgumentDefinition>,
  const O extends ReadonlyArray<OptionDefinition>,
  Result,
  E,
  R,
  LE
>(
  made: Command<A, O, Result, E, R>,
  layer: (
    globals: Globals
  ) => Layer.Layer<Exclude<R, Frame>, LE, Frame> | Promise<Layer.Layer<Exclude<R, Frame>, LE, Frame>>
): Bound => ({
  definition: made,
  execute: (input, globals) =>
    // The parser builds the input from this very definition, which is what InputOf says in types.
    Effect.promise(async () => layer(globals)).pipe(
      Effect.flatMap((layers) => Effect.provide(made.run(input as InputOf<A, O>), layers)),
      Effect.catchAll((error) =>
        Option.getOrElse(made.instead?.(error) ?? Option.none(), () => Effect.fail(error))
      ),
      Effect.map((result) => answer(made, result))
    ) as Effect.Effect<Answer, E | LE, Frame>
})

/** One command of which some runs need other layers: `other` is run where its input says so. */
export const either = (one: Bound, other: Bound, isOther: (input: ParsedInput) => boolean): Bound => ({
  definition: one.definition,
  execute: (input, globals) => (isOther(input) ? other : one).execute(input, globals)
})

const answer = <Result>(
  made: {
    readonly view?: (result: Result) => Doc
    readonly exitCode?: (result: Result) => 0 | 1
  },
  result: Result
): Answer => {
  const { view } = made
  return {
    value: result,
    view: view === undefined ? undefined : () => view(result),
    exitCode: made.exitCode?.(result) ?? 0
  }
}

/** `dry-run` -> `dryRun`, `instance_key` -> `instanceKey`. */
export const camel = (name: string): string =>
  name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase())
