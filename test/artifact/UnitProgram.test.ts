import { expect, test } from "bun:test"
import { Option } from "effect"
import { execStart, programOf } from "../../src/artifact/UnitProgram.ts"

test("a path that a unit holds is read back from it, whatever is in it", () => {
  for (const char of [...` '"\\\t$%;=é`, "$$", "%h", "\\'"]) {
    const path = `/a${char}b/agent-runtime`
    const line = Option.getOrThrow(execStart(path))
    expect(programOf(`[Service]\nExecStart=${line} serve\n`, "/home/dev")).toEqual(Option.some(path))
  }
})

test("%h is the home folder, and a unit of somebody else names no program", () => {
  const program = (line: string) => programOf(`ExecStart=${line}\n`, "/home/$$dev")
  expect(program("%h/agent-runtime serve")).toEqual(Option.some("/home/$$dev/agent-runtime"))
  expect(program("agent-runtime serve")).toEqual(Option.none())
  expect(programOf("[Service]\n", "/home/dev")).toEqual(Option.none())
})
