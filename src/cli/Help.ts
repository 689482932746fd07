import {
  type ArgumentDefinition,
  completionsOption,
  type Definition,
  type ExitCode,
  globalOptions,
  manOption,
  type OptionDefinition
} from "./Command.ts"
import { argumentTerm, range } from "./OptionValue.ts"
import type { Style } from "./Style.ts"
import { pad, width, wrap } from "./Width.ts"

/** The program that the commands belong to. */
export interface About {
  readonly name: string
  readonly version: string
  /** One line. */
  readonly summary: string
}

const COLUMNS = 80
/** Where descriptions begin, at most: a longer term stands on a line of its own. */
const MOST_INDENT = 30

/** What the exit codes mean where a command does not say it better. */
export const exitCodes: ReadonlyArray<ExitCode> = [
  { code: 0, when: "done" },
  { code: 1, when: 'the answer is "no": not found, refused, not ok' },
  { code: 2, when: "wrong usage, input or configuration" },
  { code: 3, when: "the store is not available: it cannot be opened, is refused, locked or full" }
]

/** The help of the program: its commands by group, what every command takes, examples; 80 columns. */
export const programHelp = (about: About, all: ReadonlyArray<Definition>, style: Style): string => {
  const definitions = all.filter((one) => one.hidden !== true)
  const groups = [...new Set(definitions.map((one) => one.group))]
  const members = (group: string) => definitions.filter((one) => one.group === group)
  const indent = indentOf(definitions.map((one) => one.name))
  return page([
    [...wrap(`${about.name} ${about.version}: ${about.summary}`, COLUMNS)],
    [style.bold("Usage"), `  ${about.name} COMMAND [ARGUMENTS] [OPTIONS]`],
    ...groups.map((group) => [
      style.bold(group),
      ...members(group).flatMap((one) => entry(one.name, one.summary, indent))
    ]),
    section(style, "Options of every command", globalOptions.map(optionEntry)),
    section(style, "Options without a command", [completionsOption, manOption].map(optionEntry)),
    [
      style.bold("Examples"),
      ...groups.flatMap((group) => members(group).slice(0, 1)).flatMap((one) => exampleLines(one.example))
    ],
    section(style, "Exit codes", exitCodes.map(exitEntry)),
    [`Run \`${about.name} COMMAND --help\` for what a command takes.`]
  ])
}

/** The help of one command; 80 columns. */
export const commandHelp = (about: About, definition: Definition, style: Style): string =>
  page([
    wrap(`${about.name} ${definition.name}: ${definition.summary}`, COLUMNS),
    [style.bold("Usage"), ...usage(about, definition)],
    ...(definition.description === undefined
      ? []
      : [definition.description.split("\n").flatMap((line) => wrap(line, COLUMNS))]),
    section(style, "Arguments", definition.arguments.map(argumentEntry)),
    section(style, "Options", definition.options.map(optionEntry)),
    section(style, "Options of every command", globalOptions.map(optionEntry)),
    [style.bold("Example"), ...exampleLines(definition.example)],
    section(style, "Exit codes", (definition.exits ?? exitCodes).map(exitEntry))
  ])

/** The usage line without its indent: `agent-runtime task-show ID [OPTIONS]`. */
export const usageLine = (name: string, definition: Definition): string => {
  const own =
    definition.usage ??
    [
      ...definition.arguments.map((one) => (one.required ? argumentTerm(one) : `[${argumentTerm(one)}]`)),
      ...definition.options.filter(isRequired).map(term)
    ].join(" ")
  return [name, definition.name, own, "[OPTIONS]"].filter((part) => part !== "").join(" ")
}

/** A term and what it means. */
export interface Entry {
  readonly term: string
  readonly meaning: string
}

const page = (sections: ReadonlyArray<ReadonlyArray<string>>): string =>
  `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`

const section = (style: Style, title: string, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  if (entries.length === 0) return []
  const indent = indentOf(entries.map((one) => one.term))
  return [style.bold(title), ...entries.flatMap((one) => entry(one.term, one.meaning, indent))]
}

const indentOf = (terms: ReadonlyArray<string>): number =>
  Math.min(MOST_INDENT, Math.max(0, ...terms.map(width)) + 4)

const entry = (name: string, meaning: string, indent: number): ReadonlyArray<string> => {
  const [first = "", ...rest] = wrap(meaning, COLUMNS - indent)
  const after = rest.map((line) => " ".repeat(indent) + line)
  return width(name) + 4 > indent
    ? [`  ${name}`, " ".repeat(indent) + first, ...after]
    : [pad(`  ${name}`, indent) + first, ...after]
}

const usage = (about: About, definition: Definition): ReadonlyArray<string> =>
  wrap(usageLine(about.name, definition), COLUMNS - 6).map((line, at) =>
    at === 0 ? `  ${line}` : `      ${line}`
  )

const exampleLines = (example: string): ReadonlyArray<string> =>
  example
    .split("\n")
    .flatMap((line) => shellLines(line))
    .map((line) => `  ${line}`)

/** A command line as it can be pasted: a long one goes on behind a backslash, never inside quotes. */
const shellLines = (line: string): ReadonlyArray<string> => {
  if (width(line) <= COLUMNS - 2) return [line]
  const lines: Array<string> = []
  let last = ""
  for (const [word] of line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)) {
    const longer = last === "" ? word : `${last} ${word}`
    if (width(longer) <= COLUMNS - 4) last = longer
    else {
      lines.push(`${last} \\`)
      last = `  ${word}`
    }
  }
  return [...lines, last]
}

const isRequired = (option: OptionDefinition): boolean => option.kind !== "flag" && option.required === true

const words: Readonly<Record<Exclude<OptionDefinition["kind"], "flag" | "choice">, string>> = {
  text: "TEXT",
  json: "JSON",
  path: "PATH",
  integer: "N",
  number: "N"
}

const term = (option: OptionDefinition): string => {
  const name = option.short === undefined ? `--${option.name}` : `-${option.short}, --${option.name}`
  return option.kind === "flag" ? name : `${name} ${valueWord(option)}`
}

const valueWord = (option: Exclude<OptionDefinition, { readonly kind: "flag" }>): string => {
  if (option.value !== undefined) return option.value
  if (option.kind !== "choice") return words[option.kind]
  const all = option.values.join("|")
  return all.length <= 20 ? all : option.name.toUpperCase()
}

/** An option as it stands in help: its names and value, and what it does. */
export const optionEntry = (option: OptionDefinition): Entry => ({
  term: term(option),
  meaning: [option.description, ...notes(option)].join(" ")
})

const notes = (option: OptionDefinition): ReadonlyArray<string> => {
  if (option.kind === "flag") return []
  const bounds = option.kind === "integer" || option.kind === "number" ? range(option).trim() : ""
  const offered = option.kind === "choice" && !valueWord(option).includes("|")
  const said = [
    ...(option.required === true ? ["required"] : []),
    ...(bounds === "" ? [] : [bounds]),
    ...(offered ? [`one of ${option.values.join(", ")}`] : []),
    ...(option.list === true
      ? [option.separator === undefined ? "may be repeated" : "several: comma-separated or repeated"]
      : []),
    ...(option.default === undefined ? [] : [`default ${option.default}`])
  ]
  return said.length === 0 ? [] : [`(${said.join("; ")})`]
}

/** An argument as it stands in help. */
export const argumentEntry = (argument: ArgumentDefinition): Entry => ({
  term: argumentTerm(argument),
  meaning: argument.required ? argument.description : `${argument.description} (may be left out)`
})

const exitEntry = ({ code, when }: ExitCode): Entry => ({ term: String(code), meaning: when })
