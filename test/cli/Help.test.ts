import { describe, expect, test } from "bun:test"
import { commandHelp, programHelp, usageLine } from "../../src/cli/Help.ts"
import { style } from "../../src/cli/Style.ts"
import { width } from "../../src/cli/Width.ts"
import { expectGolden } from "../support/golden.ts"
import {
  intake,
  sampleDefinitions,
  sampleProgram,
  taskList,
  workflowCreate
} from "../support/sampleCommands.ts"

const plain = style(false)
const pages: ReadonlyArray<readonly [name: string, text: string]> = [
  ["program", programHelp(sampleProgram, sampleDefinitions, plain)],
  ...sampleDefinitions.map((one) => [one.name, commandHelp(sampleProgram, one, plain)] as const)
]

describe("help", () => {
  for (const [name, text] of pages.filter(([one]) =>
    ["program", "task-list", "task-show", "intake", "workflow-create"].includes(one)
  ))
    test(`of ${name} is as it was agreed`, () => expectGolden(`help/sample-${name}.txt`, text))

  test("fits 80 columns and has no escapes", () => {
    for (const [name, text] of pages) {
      for (const line of text.split("\n"))
        expect(`${name}: ${width(line)}`).toBe(`${name}: ${Math.min(width(line), 80)}`)
      expect(text).not.toContain("\u001b")
    }
  })

  test("lists every command once below its group", () => {
    const text = programHelp(sampleProgram, sampleDefinitions, plain)
    for (const { name, summary } of sampleDefinitions)
      expect(
        text.split("\n").filter((line) => line.startsWith(`  ${name} `) && line.endsWith(summary))
      ).toHaveLength(1)
  })

  test("names the program, the arguments and what must be given in the usage line", () => {
    expect(usageLine("agent-runtime", intake)).toBe(
      "agent-runtime intake (--json JSON | --file PATH | -) [OPTIONS]"
    )
    expect(usageLine("agent-runtime", workflowCreate)).toBe(
      "agent-runtime workflow-create --template TEXT --instance_key TEXT [OPTIONS]"
    )
  })

  test("tells bounds, defaults and choices", () => {
    const text = commandHelp(sampleProgram, taskList, plain).replace(/\s+/g, " ")
    expect(text).toContain("How many at most. (from 1 to 500; default 50)")
    expect(text).toContain(
      "(one of pending, running, completed, blocked, operator_canceled; several: comma-separated or repeated)"
    )
    expect(text).toContain("Only tasks of this kind. (may be repeated)")
  })

  test("sets headings off where there are colours", () =>
    expect(commandHelp(sampleProgram, taskList, style(true))).toContain("\u001b[1mOptions\u001b[0m\n"))

  test("goes on behind a backslash where an example is long, never inside quotes", () => {
    const example = `agent-runtime task-list --kind '${"one two ".repeat(5)}' --after ${"x".repeat(20)} --limit 5`
    const lines = commandHelp(sampleProgram, { ...taskList, example }, plain).split("\n")
    const at = lines.indexOf("Example")
    expect(lines.slice(at + 1, at + 4)).toEqual([
      `  agent-runtime task-list --kind '${"one two ".repeat(5)}' \\`,
      `    --after ${"x".repeat(20)} --limit 5`,
      ""
    ])
  })

  test("shows the exit codes of a command that has its own", () =>
    expect(
      commandHelp(sampleProgram, { ...taskList, exits: [{ code: 0, when: "all is well" }] }, plain)
    ).toMatch(/Exit codes\n {2}0 {2}all is well\n$/))
})
