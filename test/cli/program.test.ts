import { describe, test } from "bun:test"
import { commandHelp, programHelp } from "../../src/cli/Help.ts"
import { style } from "../../src/cli/Style.ts"
import { program } from "../../src/program.ts"
import { expectGolden } from "../support/golden.ts"

const real = await program("1.2.3")
const definitions = real.commands.map((one) => one.definition)

describe("the help", () => {
  test("of the program is as it was agreed", () =>
    expectGolden("help/agent-runtime.txt", programHelp(real, definitions, style(false))))

  for (const definition of definitions)
    test(`of ${definition.name} is as it was agreed`, () =>
      expectGolden(`help/${definition.name}.txt`, commandHelp(real, definition, style(false))))
})
