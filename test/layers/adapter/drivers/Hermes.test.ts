import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Option } from "effect"
import type { Invocation, Plan } from "../../../../layers/adapter/drivers/Driver.ts"
import { ARGUMENT_BYTES, hermes } from "../../../../layers/adapter/drivers/Hermes.ts"
import { scriptSettings } from "../../../../layers/adapter/ScriptedAdapters.ts"
import type { AgentCliSettings } from "../../../../src/config/AdapterSettings.ts"

const help = (name: string): string =>
  readFileSync(join(import.meta.dir, "../../../../fixtures/agents/hermes", name), "utf8")

const abilitiesOf = (output: string): ReadonlySet<string> =>
  Option.getOrThrow(hermes.examine).abilities(output)
const recent = abilitiesOf(help("help-new.txt"))
const old = abilitiesOf(help("help-old.txt"))

const settings = (changes: Partial<AgentCliSettings> = {}): AgentCliSettings => {
  const { mode: _, untrustedArgs: __, ...child } = scriptSettings("hermes", { workspace: "exclusive" })
  return {
    ...child,
    mode: "agent-cli",
    driver: "hermes-agent",
    model: Option.none(),
    settingsFile: Option.none(),
    sandbox: Option.none(),
    autonomy: "restricted",
    provider: {},
    ...changes
  }
}

const plan = (changes: Partial<Plan> = {}, job: Partial<Plan["job"]> = {}): Plan => ({
  settings: settings(),
  job: { prompt: "# Task\nlook", model: Option.none(), untrusted: false, withheld: [], ...job },
  cwd: "/work",
  scratch: "/scratch",
  env: {},
  abilities: recent,
  ...changes
})

const invoke = (changes: Partial<Plan> = {}, job: Partial<Plan["job"]> = {}): Invocation =>
  hermes.invoke(plan(changes, job))

describe("what hermes is asked before it is used", () => {
  test("is the help of chat, which names the flags that it has", () => {
    expect(Option.getOrThrow(hermes.examine).args).toEqual(["chat", "--help"])
    expect([...recent].sort()).toEqual([
      "--format",
      "--ignore-rules",
      "--query-file",
      "--safe-mode",
      "--source"
    ])
    expect([...old]).toEqual(["--source"])
  })

  test("a flag is not read out of a longer one, and a format without stream-json is none", () => {
    expect([...abilitiesOf("--query-files --my--source --ignore-rules-not")]).toEqual([])
    expect([...abilitiesOf("--format {text,json}")]).toEqual([])
  })
})

describe("how hermes is started", () => {
  test("a recent one gets the prompt by stdin and prints records", () => {
    expect(invoke()).toEqual({
      args: ["chat", "-Q", "--query-file", "-", "--format", "stream-json", "--source", "tool"],
      stdin: "# Task\nlook",
      files: {}
    })
  })

  test("model, provider and extraArgs follow; the job's model wins over the adapter's", () => {
    const chosen = settings({
      model: Option.some("qwen3:8b"),
      provider: { providerId: "openrouter" },
      extraArgs: ["--max-turns", "40"]
    })
    const tail = ["--provider", "openrouter", "--max-turns", "40"]
    expect(invoke({ settings: chosen }).args.slice(8)).toEqual(["-m", "qwen3:8b", ...tail])
    expect(invoke({ settings: chosen }, { model: Option.some("other") }).args.slice(8)).toEqual([
      "-m",
      "other",
      ...tail
    ])
  })

  test("only trusted-vm adds --yolo", () => {
    expect(invoke().args).not.toContain("--yolo")
    expect(invoke({ settings: settings({ autonomy: "trusted-vm" }) }).args).toContain("--yolo")
    expect(hermes.bypass).toEqual(["--yolo"])
  })

  test("an old one gets the prompt as one argument, a leading dash included, and an empty stdin", () => {
    expect(invoke({ abilities: old }, { prompt: "-h" })).toEqual({
      args: ["chat", "-Q", "--query=-h", "--source", "tool"],
      stdin: "",
      files: {}
    })
    expect(invoke({ abilities: new Set() }).args).toEqual(["chat", "-Q", "--query=# Task\nlook"])
  })

  test("a prompt that does not fit into an argument is a problem with a remedy; by stdin it is none", () => {
    const fits = "é".repeat(ARGUMENT_BYTES / 2)
    expect(invoke({ abilities: old }, { prompt: fits }).problem).toBeUndefined()
    const { problem, ...rest } = invoke({ abilities: old }, { prompt: `${fits}x` })
    expect(problem?.reason).toContain(`the prompt has ${ARGUMENT_BYTES + 1} bytes`)
    expect(problem?.remedy).toContain("hermes update")
    expect(rest).toEqual({ args: [], stdin: "", files: {} })
    expect(invoke({}, { prompt: `${fits}x` })).toMatchObject({ stdin: `${fits}x` })
    expect(invoke({ abilities: old }, { prompt: "a\0b" }).problem?.reason).toContain("NUL")
  })

  test("untrusted input runs without rules, memory and skills, where the version can", () => {
    expect(invoke({}, { untrusted: true }).args).toContain("--ignore-rules")
    expect(invoke({ abilities: old }, { untrusted: true }).args).not.toContain("--ignore-rules")
    const told = hermes
      .reader(plan({ abilities: old }, { untrusted: true }))
      .told({ ending: { _tag: "Exited", code: 0 }, stdout: "", stderr: "" })
    expect(told.diagnostics).toEqual([expect.stringContaining("has no --ignore-rules")])
  })

  test("what the profile withholds is withheld by --safe-mode, or nothing is started", () => {
    const placed = settings({ model: Option.some("m"), provider: { providerId: "p" } })
    const job = { withheld: ["github"], untrusted: true }
    const args = invoke({ settings: placed }, job).args
    expect(args).toContain("--safe-mode")
    expect(args).not.toContain("--ignore-rules")
    expect(invoke({}, job).problem?.remedy).toBe('set "model" and "providerId" of the adapter')
    const cannot = invoke({ settings: placed, abilities: old }, job).problem
    expect(cannot?.reason).toBe(
      "the profile withholds github, which this hermes cannot do: it has no --safe-mode"
    )
  })

  test("its pipes are UTF-8, whatever the locale", () => {
    expect(hermes.env(settings(), Option.none())).toEqual({ PYTHONIOENCODING: "utf-8" })
  })
})

describe("what is wrong with an adapter before it runs", () => {
  const objection = (changes: Partial<AgentCliSettings>, env: Record<string, string> = {}) =>
    Option.getOrUndefined(hermes.objection(settings(changes), env))?.reason

  test("nothing, for plain settings", () => {
    expect(objection({ extraArgs: ["--max-turns", "40", "-t", "terminal,file", "-v"] })).toBeUndefined()
    expect(objection({ autonomy: "trusted-vm" }, { HERMES_YOLO_MODE: "1" })).toBeUndefined()
  })

  test.each([
    ["--query=secret words", "--query"],
    ["--query-file", "--query-file"],
    ["--quer", "--quer"],
    ["--format=text", "--format"],
    ["--f", "--f"],
    ["-qsecret words", "-q"],
    ["-Qqtext", "-Qq"],
    ["-z", "-z"]
  ])("%s among extraArgs, which the runtime sets itself", (argument, shown) => {
    const said = objection({ extraArgs: ["-v", argument] })
    expect(said).toBe(`extraArgs hold ${shown}, which the runtime sets itself`)
  })

  test.each(["--in", "--in=/tmp", "--worktree", "-w", "-vw"])(
    "%s, which would move the work away",
    (argument) => {
      expect(objection({ extraArgs: [argument] })).toContain("elsewhere")
    }
  )

  test("a bypass while restricted: as a flag, a beginning of it, or in the environment", () => {
    expect(objection({ extraArgs: ["--yolo"] })).toBe("extraArgs hold --yolo, but autonomy is restricted")
    expect(objection({ extraArgs: ["--y"] })).toContain("autonomy is restricted")
    expect(objection({}, { HERMES_YOLO_MODE: "1" })).toContain("HERMES_YOLO_MODE")
    expect(objection({}, { HERMES_YOLO_MODE: "false" })).toBeUndefined()
  })
})
