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

  const offered = async (line: string, before = ""): Promise<ReadonlyArray<string>> => {
    const text = await Effect.runPromise(script("bash"))
    const words = line.split(" ")
    const child = Bun.spawn(
      [
        "bash",
        "-c",
        `${text}\n${before}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; "$(complete -p agent-runtime | sed 's/.*-F \\([^ ]*\\).*/\\1/')" agent-runtime "$\{COMP_WORDS[-1]}" "$\{COMP_WORDS[-2]}"; printf '%s\\n' "$\{COMPREPLY[@]}"`
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
    expect(await offered("agent-runtime task-list --status ")).toEqual([
      "pending",
      "running",
      "completed",
      "blocked",
      "operator_canceled"
    ])
    expect(await offered("agent-runtime task-list --status pending,b")).toEqual(["pending,blocked"])
    expect(await offered("agent-runtime task-list --status pending,running,c")).toEqual([
      "pending,running,completed"
    ])
  })

  // The program itself, in the place of what a key press would start.
  const answering = `agent-runtime() { [[ $1 == complete ]] || return; printf '%s\\n' "$*" >&3; printf 'id-1\\tpending one\\nid-2\\t\\nother $(touch x)\\twild\\n'; }; exec 3>/dev/null`

  test("offer what exists now in bash, where an id is meant, and run nothing of what it is called", async () => {
    expect(await offered("agent-runtime task-show ", answering)).toEqual([
      "id-1",
      "id-2",
      "other\\ \\$\\(touch\\ x\\)"
    ])
    expect(await offered("agent-runtime task-show --dry-run id-2", answering)).toEqual(["id-2"])
    expect(await offered("agent-runtime --config x task-show i", answering)).toEqual(["id-1", "id-2"])
    expect(await offered("agent-runtime workflow-create --template id-", answering)).toEqual(["id-1", "id-2"])
    expect(await offered("agent-runtime task-show --note ", answering)).not.toContain("id-1")
    expect(await offered("agent-runtime task-show -", answering)).toContain("--note")
  })

  it.effect("ask for what exists now in zsh and fish", () =>
    Effect.gen(function* () {
      const zsh = yield* script("zsh")
      expect(zsh).toContain("'1:The task'\\''s id.:_agent-runtime_live tasks' \\")
      expect(zsh).toContain(":template:_agent-runtime_live templates' \\")
      const fish = yield* script("fish")
      expect(fish).toContain(
        `"__fish_seen_subcommand_from task-show" -r -f -a "(__agent_runtime_live tasks)" -d`
      )
      expect(fish).toContain(`-l template -r -f -a "(__agent_runtime_live templates)" -d`)
    })
  )
})
