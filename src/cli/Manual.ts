import { completionsOption, type Definition, globalOptions, manOption } from "./Command.ts"
import { type About, argumentEntry, type Entry, exitCodes, optionEntry, usageLine } from "./Help.ts"

/**
 * The manual page, in the macros of man(7), from the same definitions as help and completions. The program prints
 * it itself, so that no file lies about that is of another version: `agent-runtime --man | man -l -` reads it,
 * `agent-runtime --man > /usr/local/share/man/man1/agent-runtime.1` installs it. No date stands in it: equal
 * programs have equal pages.
 */
export const manualPage = (about: About, all: ReadonlyArray<Definition>): string => {
  const definitions = all.filter((one) => one.hidden !== true)
  const groups = [...new Set(definitions.map((one) => one.group))]
  return [
    `.TH ${quoted(about.name.toUpperCase())} 1 "" ${quoted(`${about.name} ${about.version}`)} ""`,
    ".SH NAME",
    `${plain(about.name)} \\- ${plain(about.summary)}`,
    ".SH SYNOPSIS",
    `.B ${plain(about.name)}`,
    ".I COMMAND",
    "[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]",
    ".SH DESCRIPTION",
    ...groups.flatMap((group) => [
      `.SS ${quoted(group)}`,
      ...definitions.filter((one) => one.group === group).flatMap((one) => item(one.name, one.summary))
    ]),
    ".SH OPTIONS OF EVERY COMMAND",
    ...globalOptions.map(optionEntry).flatMap(entry),
    ".SH OPTIONS WITHOUT A COMMAND",
    ...[completionsOption, manOption].map(optionEntry).flatMap(entry),
    ".SH COMMANDS",
    ...definitions.flatMap((one) => ofCommand(about, one)),
    ".SH ENVIRONMENT",
    ...item("AGENT_RUNTIME_CONFIG", "The configuration file, where --config names none."),
    ...item("NO_COLOR", "Set to anything: no colours."),
    ".SH FILES",
    ...item("config/runtime.json", "The configuration, where nothing else is named."),
    ".SH EXIT STATUS",
    ...exitCodes.flatMap(({ code, when }) => item(String(code), when)),
    ""
  ].join("\n")
}

const ofCommand = (about: About, definition: Definition): ReadonlyArray<string> => [
  `.SS ${quoted(definition.name)}`,
  `.B ${plain(usageLine(about.name, definition))}`,
  ".PP",
  plain(`${definition.summary.charAt(0).toUpperCase()}${definition.summary.slice(1)}.`),
  ...(definition.description ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => [".PP", plain(line)]),
  ...definition.arguments.map(argumentEntry).flatMap(entry),
  ...definition.options.map(optionEntry).flatMap(entry),
  ".PP",
  "Example:",
  ".PP",
  ".nf",
  ...definition.example.split("\n").map((line) => `    ${plain(line)}`),
  ".fi",
  ...(definition.exits ?? []).flatMap(({ code, when }) => item(String(code), when))
]

const entry = ({ meaning, term }: Entry): ReadonlyArray<string> => item(term, meaning)

const item = (term: string, meaning: string): ReadonlyArray<string> => [
  ".TP",
  `.B ${plain(term)}`,
  plain(meaning)
]

/** Text that stands for itself: what roff would read as an escape, a request or a hyphen is written out. */
const plain = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")

const quoted = (text: string): string => `"${plain(text).replaceAll('"', "\\(dq")}"`
