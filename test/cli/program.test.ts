import { describe, expect, test } from "bun:test"
import { commandHelp, programHelp } from "../../src/cli/Help.ts"
import { manualPage } from "../../src/cli/Manual.ts"
import { style } from "../../src/cli/Style.ts"
import { program } from "../../src/program.ts"
import { expectGolden } from "../support/golden.ts"

const real = await program("1.2.3")
const definitions = real.commands.map((one) => one.definition)

test("the manual page is as it was agreed, and its macros are in order", () => {
  const page = manualPage(real, definitions)
  expectGolden("agent-runtime.1", page)
  const bad = page
    .split("\n")
    .filter(
      (line) => /^\.(?!TH |SH |SS |TP$|B |I |PP$|nf$|fi$)/.test(line) || /(?<!\\)\\(?![e&\-(f])/.test(line)
    )
  expect(bad).toEqual([])
  for (const { hidden, name } of definitions)
    expect([name, page.includes(`.SS "${name.replaceAll("-", "\\-")}"`)]).toEqual([name, hidden !== true])
})

describe("the help", () => {
  test("of the program is as it was agreed", () =>
    expectGolden("help/agent-runtime.txt", programHelp(real, definitions, style(false))))

  for (const definition of definitions)
    test(`of ${definition.name} is as it was agreed`, () =>
      expectGolden(`help/${definition.name}.txt`, commandHelp(real, definition, style(false))))
})
