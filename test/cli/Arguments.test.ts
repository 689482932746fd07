import { describe, expect, test } from "bun:test"
import { Either, Option } from "effect"
import { parse, type Request } from "../../src/cli/Arguments.ts"
import type { ParsedInput } from "../../src/cli/Command.ts"
import { events } from "../../src/cli/Events.ts"
import { taskList } from "../../src/cli/Tasks.ts"
import { sampleDefinitions } from "../support/sampleCommands.ts"

const parsed = (...argv: ReadonlyArray<string>) => parse(sampleDefinitions, argv)

const request = (...argv: ReadonlyArray<string>): Request =>
  Either.getOrThrowWith(parsed(...argv), (error) => new Error(error.message))

const input = (...argv: ReadonlyArray<string>) => {
  const asked = request(...argv)
  if (asked._tag !== "Run") throw new Error(`${asked._tag} and not Run`)
  return asked.input
}

const globals = (...argv: ReadonlyArray<string>) => {
  const asked = request(...argv)
  if (asked._tag !== "Run") throw new Error(`${asked._tag} and not Run`)
  return asked.globals
}

const complaint = (...argv: ReadonlyArray<string>): string =>
  Either.match(parsed(...argv), {
    onLeft: (error) => error.message,
    onRight: (asked) => `no complaint: ${asked._tag}`
  })

const shown = (id: string, dryRun = false, note: Option.Option<string> = Option.none()) => ({
  id,
  dryRun,
  note
})

const understood: ReadonlyArray<readonly [name: string, argv: ReadonlyArray<string>, input: ParsedInput]> = [
  ["an argument alone", ["task-show", "a"], shown("a")],
  ["an option after the argument", ["task-show", "a", "--note", "n"], shown("a", false, Option.some("n"))],
  ["an option before the argument", ["task-show", "--note", "n", "a"], shown("a", false, Option.some("n"))],
  ["an option before the command", ["--note", "n", "task-show", "a"], shown("a", false, Option.some("n"))],
  ["a flag before the command", ["--dry-run", "task-show", "a"], shown("a", true)],
  ["--name=value", ["task-show", "a", "--note=n"], shown("a", false, Option.some("n"))],
  [
    "a value with equals signs in it",
    ["task-show", "a", "--note=x=y"],
    shown("a", false, Option.some("x=y"))
  ],
  ["a value that begins with -", ["task-show", "a", "--note=-x"], shown("a", false, Option.some("-x"))],
  [
    "a value that looks like an option",
    ["task-show", "a", "--note=--dry-run"],
    shown("a", false, Option.some("--dry-run"))
  ],
  ["an empty text", ["task-show", "a", "--note="], shown("a", false, Option.some(""))],
  ["a lone - as a value", ["task-show", "a", "--note", "-"], shown("a", false, Option.some("-"))],
  [
    "-- that ends the options",
    ["task-show", "--note", "n", "--", "--dry-run"],
    shown("--dry-run", false, Option.some("n"))
  ],
  ["a flag given twice", ["task-show", "a", "--dry-run", "--dry-run"], shown("a", true)],
  ["text with blanks and line breaks", ["task-show", "a b\nc"], shown("a b\nc")],
  [
    "a lone - as an argument",
    ["intake", "-"],
    { stdin: Option.some("-"), json: Option.none(), file: Option.none() }
  ],
  ["defaults and absent options", ["task-list"], { status: [], kind: [], limit: 50, after: Option.none() }],
  [
    "repeated and comma-separated lists",
    ["task-list", "--status", "pending, running", "--kind", "a", "--status=blocked", "--kind", "b,c"],
    { status: ["pending", "running", "blocked"], kind: ["a", "b,c"], limit: 50, after: Option.none() }
  ],
  ["integers", ["task-list", "--limit", "500"], { status: [], kind: [], limit: 500, after: Option.none() }],
  [
    "names with an underscore and decimals",
    ["workflow-create", "--template", "t", "--instance_key", "k", "--share", "0.5"],
    { template: "t", instanceKey: "k", context: Option.none(), share: Option.some(0.5) }
  ],
  [
    "decimals with an exponent",
    ["workflow-create", "--template", "t", "--instance_key", "k", "--share", "1e3"],
    { template: "t", instanceKey: "k", context: Option.none(), share: Option.some(1_000) }
  ],
  [
    "JSON is left as text",
    ["workflow-create", "--template=t", "--instance_key=k", "--context", "{not json"],
    { template: "t", instanceKey: "k", context: Option.some("{not json"), share: Option.none() }
  ]
]

describe("the command line understands", () => {
  for (const [name, argv, expected] of understood) test(name, () => expect(input(...argv)).toEqual(expected))

  test("options of every command anywhere, in every notation", () => {
    const wanted = {
      config: Option.some("c.json"),
      output: Option.some("json"),
      logLevel: Option.some("debug")
    }
    for (const argv of [
      ["--config", "c.json", "-o", "json", "--log-level", "debug", "task-show", "a"],
      ["task-show", "--config=c.json", "-o=json", "--log-level=debug", "a"],
      ["task-show", "a", "-ojson", "--config", "c.json", "--log-level", "debug"],
      ["-o", "json", "task-show", "--config", "c.json", "a", "--log-level", "debug"]
    ])
      expect(globals(...argv) as unknown).toEqual(wanted)
  })

  test("none of them given", () =>
    expect(globals("task-show", "a") as unknown).toEqual({
      config: Option.none(),
      output: Option.none(),
      logLevel: Option.none()
    }))
})

describe("the command line answers", () => {
  const tagged = (...argv: ReadonlyArray<string>) => {
    const asked = request(...argv)
    return asked._tag === "Help" ? `help of ${asked.of?.name ?? "the program"}` : asked._tag
  }
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [[], "help of the program"],
    [["--help"], "help of the program"],
    [["-h"], "help of the program"],
    [["help"], "help of the program"],
    [["help", "task-show"], "help of task-show"],
    [["help", "--config", "c.json"], "help of the program"],
    [["--output", "json", "help", "-o", "table", "task-show", "--bogus"], "help of task-show"],
    [["task-show", "--help"], "help of task-show"],
    [["-h", "task-show"], "help of task-show"],
    [["task-show", "--bogus", "--help"], "help of task-show"],
    [["--version"], "Version"],
    [["task-show", "--version"], "Version"],
    [["--completions", "bash"], "Completions"],
    [["--completions=zsh"], "Completions"]
  ]
  for (const [argv, expected] of cases)
    test(`${expected} to [${argv.join(" ")}]`, () => expect(tagged(...argv)).toBe(expected))

  test("nothing but an argument to --help behind --", () =>
    expect(input("task-show", "--", "--help")).toEqual(shown("--help")))
})

const refused: ReadonlyArray<readonly [name: string, argv: ReadonlyArray<string>, says: string]> = [
  [
    "a command with a typing error",
    ["taks-list"],
    'there is no command "taks-list"; did you mean `task-list`?'
  ],
  [
    "a command that is like none",
    ["zzzzzz"],
    'there is no command "zzzzzz"; the commands are intake, task-list,'
  ],
  ["an empty command", [""], 'there is no command ""'],
  ["help of an unknown command", ["help", "taks-list"], "did you mean `task-list`?"],
  [
    "an option with a typing error",
    ["task-list", "--limt", "5"],
    'there is no option "--limt"; did you mean `--limit`?'
  ],
  [
    "- for _",
    ["workflow-create", "--template", "t", "--instance-key", "k"],
    'there is no option "--instance-key"; did you mean `--instance_key`?'
  ],
  [
    "an option of nobody before the command",
    ["--confg", "x", "task-list"],
    'there is no option "--confg"; did you mean `--config`?'
  ],
  ["an option of another command", ["task-show", "a", "--limit", "5"], 'there is no option "--limit"'],
  [
    "a short option of nobody",
    ["task-show", "a", "-x"],
    'there is no option "-x"; an argument that begins with - stands after --'
  ],
  [
    "a short option in the place of an argument",
    ["task-show", "-weird"],
    "an argument that begins with - stands after --"
  ],
  ["a missing value at the end", ["task-list", "--limit"], "--limit needs a value, an integer from 1 to 500"],
  [
    "a missing value before an option",
    ["task-show", "a", "--note", "--dry-run"],
    "--note needs a value, text; a value that begins with - is given with an equals sign: --note=--dry-run"
  ],
  ["a flag with a value", ["task-show", "a", "--dry-run=yes"], '--dry-run takes no value, found "yes"'],
  [
    "an option given twice",
    ["task-list", "--limit", "5", "--limit", "6"],
    '--limit is given 2 times ("5", "6"); give it once'
  ],
  [
    "a global option given twice",
    ["-o", "json", "task-list", "--output", "table"],
    "--output is given 2 times"
  ],
  [
    "a missing option",
    ["workflow-create", "--template", "t"],
    "--instance_key is missing: The workflow's unique key."
  ],
  ["a missing argument", ["task-show"], "ID is missing: The task's id."],
  ["an empty argument", ["task-show", " "], 'ID: found " ", expected text that can be seen'],
  [
    "an argument too many",
    ["task-show", "a", "b", "c"],
    'task-show does not know what to do with "b", "c": it takes ID'
  ],
  [
    "an argument where there is none",
    ["task-list", "b"],
    'task-list does not know what to do with "b": it takes no argument'
  ],
  [
    "an integer that is too small",
    ["task-list", "--limit", "0"],
    '--limit: found "0", expected an integer from 1 to 500'
  ],
  [
    "an integer that is too large",
    ["task-list", "--limit=501"],
    '--limit: found "501", expected an integer from 1 to 500'
  ],
  [
    "a negative integer",
    ["task-list", "--limit", "-5"],
    '--limit: found "-5", expected an integer from 1 to 500'
  ],
  ["a fraction for an integer", ["task-list", "--limit", "1.5"], '--limit: found "1.5"'],
  ["a word for an integer", ["task-list", "--limit", "many"], '--limit: found "many"'],
  ["a hexadecimal integer", ["task-list", "--limit", "0x10"], '--limit: found "0x10"'],
  ["an empty integer", ["task-list", "--limit="], '--limit: found "", expected an integer'],
  [
    "an integer beyond what can be counted",
    ["task-list", "--limit", "99999999999999999999"],
    "expected an integer from 1 to 500"
  ],
  [
    "a number that is none",
    ["workflow-create", "--template=t", "--instance_key=k", "--share", "1e"],
    '--share: found "1e", expected a number of at least 0'
  ],
  [
    "a choice that is not offered",
    ["task-list", "--status", "blocked,runing"],
    '--status: found "runing", expected one of pending, running, completed, blocked, operator_canceled; did you mean `running`?'
  ],
  ["an empty item of a list", ["task-list", "--status", "blocked,"], '--status: found ""'],
  [
    "an output that is not offered",
    ["task-list", "-o", "yaml"],
    '--output: found "yaml", expected one of json, table'
  ],
  ["an argument that is not offered", ["intake", "x"], 'the argument: found "x", expected one of -'],
  ["an empty path", ["intake", "--file="], '--file: found "", expected a path'],
  [
    "a shell that is not offered",
    ["--completions", "ksh"],
    '--completions: found "ksh", expected one of bash, zsh, fish'
  ],
  ["completions of a command", ["task-list", "--completions", "bash"], 'there is no option "--completions"'],
  ["options without a command", ["-o", "json"], "there is no command; name one"]
]

describe("the command line refuses", () => {
  for (const [name, argv, says] of refused) test(name, () => expect(complaint(...argv)).toContain(says))

  test("a filter in which nothing is, and an integer that no number holds exactly, by the end that it meets", () => {
    const said = (...argv: ReadonlyArray<string>) =>
      Either.match(parse([events, taskList], argv), { onLeft: ({ message }) => message, onRight: () => "" })
    for (const name of ["kind", "source"])
      expect(said("task-list", `--${name}`, "")).toBe(`--${name}: found "", expected text that can be seen`)
    expect(said("events", "--since", "9007199254740992")).toBe(
      '--since: found "9007199254740992", expected an integer from 0 to 9007199254740991'
    )
    expect(said("events", "--since", "x")).toBe('--since: found "x", expected an integer of at least 0')
  })

  test("everything that is wrong at once", () =>
    expect(complaint("workflow-create", "x", "--share", "a", "-o", "yaml").split("\n")).toEqual([
      "--template is missing: The template's name.",
      "--instance_key is missing: The workflow's unique key.",
      '--share: found "a", expected a number of at least 0',
      '--output: found "yaml", expected one of json, table',
      'workflow-create does not know what to do with "x": it takes no argument'
    ]))

  test("an unknown option alone, when all else may follow from it", () =>
    expect(complaint("task-list", "--limt", "5").split("\n")).toHaveLength(1))

  test("a value of any length in a line that can be read", () =>
    expect(complaint("task-list", "--limit", "9".repeat(5000)).length).toBeLessThan(200))
})
