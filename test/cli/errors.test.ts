import { describe, expect, test } from "bun:test"
import { Cause, Either } from "effect"
import { parse } from "../../src/cli/Arguments.ts"
import type { Definition, OptionDefinition } from "../../src/cli/Command.ts"
import { failureOf, render } from "../../src/cli/Failure.ts"
import { program } from "../../src/program.ts"
import { expectGolden } from "../support/golden.ts"

const definitions = (await program("1.2.3")).commands.map((one) => one.definition)

/** What stderr says of a command line; undefined where it can be understood. */
const told = (argv: ReadonlyArray<string>): string | undefined => {
  const parsed = parse(definitions, argv)
  return Either.isRight(parsed)
    ? undefined
    : render("agent-runtime", failureOf("agent-runtime", Cause.fail(parsed.left)), false)
}

/** A name as somebody types it in a hurry: its last two letters swapped, or the last one twice. */
const misspelt = (name: string): string => {
  const swapped = name.replace(/(.)(.)$/, "$2$1")
  return swapped === name ? `${name}${name.at(-1)}` : swapped
}

const unfit = (option: OptionDefinition): ReadonlyArray<string> => {
  switch (option.kind) {
    case "flag":
      return [`--${option.name}=yes`]
    case "integer":
    case "number":
      return [`--${option.name}=many`]
    case "choice":
      return [`--${option.name}`, misspelt(option.values[0] ?? "")]
    default:
      return [`--${option.name}`]
  }
}

/** Command lines of one command that are wrong, each in another way. */
const wrongLines = ({
  arguments: places,
  hidden,
  name,
  options
}: Definition): ReadonlyArray<ReadonlyArray<string>> => {
  const words = places.flatMap(({ required, values }) => (required ? [values?.[0] ?? "x"] : []))
  return [
    [name],
    ...(hidden === true ? [] : [[misspelt(name)]]),
    ...options.map((one) => [name, ...words, `--${misspelt(one.name)}`]),
    ...options.map((one) => [name, ...words, ...unfit(one)]),
    [name, ...places.map(({ values }) => values?.[0] ?? "x"), "more"]
  ]
}

const pageOf = (definition: Definition): string =>
  wrongLines(definition)
    .flatMap((argv) => {
      const error = told(argv)
      return error === undefined ? [] : [`$ agent-runtime ${argv.join(" ")}\n${error}`]
    })
    .join("\n")

describe("what stderr says of a wrong command line", () => {
  for (const definition of definitions)
    test(`of ${definition.name} is as it was agreed`, () =>
      expectGolden(`errors/${definition.name}.txt`, pageOf(definition)))

  test("is never a stack, at most two lines for one mistake, and names what to do", () => {
    for (const definition of definitions)
      for (const argv of wrongLines(definition)) {
        const error = told(argv)
        if (error === undefined) continue
        expect(error).not.toMatch(/\n\s+at |Error:/)
        expect(error).toMatch(/\nRun `agent-runtime( [a-z-]+)? --help` for what it takes\.\n$/)
      }
  })
})
