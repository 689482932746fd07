import { describe, expect, test } from "bun:test"
import { Effect } from "effect"
import { type Shell, shells } from "../../src/cli/Command.ts"
import { completions } from "../../src/cli/Completions.ts"
import { it } from "../support/effect.ts"
import { sampleDefinitions } from "../support/sampleCommands.ts"

const [first, ...rest] = sampleDefinitions
const script = (shell: Shell) => completions("agent-runtime", first!, rest, shell)

describe("completions", () => {
  for (const shell of shells)
    it.effect(`of ${shell} know every command and option, and none that the program has not`, () =>
      Effect.gen(function* () {
        const text = yield* script(shell)
        for (const { name, options } of sampleDefinitions) {
          expect(text).toContain(name)
          for (const option of options) expect(text).toContain(option.name)
        }
        expect(text).toContain("output")
        expect(text).not.toContain("wizard")
        expect(text).not.toContain("fatal")
        expect(text).not.toContain("\u001b")
      })
    )

  const offered = async (line: string): Promise<ReadonlyArray<string>> => {
    const text = await Effect.runPromise(script("bash"))
    const words = line.split(" ")
    const child = Bun.spawn(
      [
        "bash",
        "-c",
        `${text}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; "$(complete -p agent-runtime | sed 's/.*-F \\([^ ]*\\).*/\\1/')" agent-runtime "$\{COMP_WORDS[-1]}" "$\{COMP_WORDS[-2]}"; printf '%s\\n' "$\{COMPREPLY[@]}"`
      ],
      { stdout: "pipe", stderr: "pipe", stdin: "ignore" }
    )
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text()
    ])
    expect(err).toBe("")
    return out.split("\n").filter((word) => word !== "")
  }

  test("work in bash: commands, options of a command, values", async () => {
    expect(await offered("agent-runtime task-")).toEqual(["task-list", "task-show"])
    expect(await offered("agent-runtime task-list --l")).toContain("--limit")
    expect(await offered("agent-runtime task-list --output ")).toEqual(["json", "table"])
    expect(await offered("agent-runtime --c")).toEqual(["--config", "--completions"])
    expect(await offered("agent-runtime task-list --c")).toEqual(["--config"])
    expect(await offered("agent-runtime task-list --log-level de")).toEqual(["debug"])
  })
})
