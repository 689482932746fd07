import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { claudeCode } from "../../../../layers/adapter/drivers/ClaudeCode.ts"
import { usualLadder } from "../../../../layers/adapter/Ladder.ts"
import type { AgentCliSettings } from "../../../../src/config/AdapterSettings.ts"
import { outcomeSchema } from "../../../../src/context/OutcomeSchema.ts"
import { plan, settings } from "./ClaudeCodeRecordings.ts"

const BYPASS =
  "--allow-dangerously-skip-permissions --dangerously-skip-permissions --permission-mode bypassPermissions"

const argsOf = (...of: Parameters<typeof plan>): ReadonlyArray<string> => claudeCode.invoke(plan(...of)).args
const lineOf = (...of: Parameters<typeof plan>): string => argsOf(...of).join(" ")
const after = (args: ReadonlyArray<string>, flag: string): string | undefined =>
  args[args.lastIndexOf(flag) + 1]

describe("the invocation", () => {
  test("speaks JSON lines and has the prompt on stdin, whatever it begins with", () => {
    const { args, files, stdin } = claudeCode.invoke(plan({}, { prompt: "--- /context @/etc/passwd" }))
    expect(args.slice(0, 5)).toEqual([
      "-p",
      "--output-format",
      "stream-json",
      "--verbose",
      "--disable-slash-commands"
    ])
    expect([stdin, files]).toEqual(["--- /context @/etc/passwd", {}])
    expect(args.join(" ")).not.toContain("/context")
  })

  test("asks for the outcome by its schema, as text", () => {
    expect(JSON.parse(after(argsOf(), "--json-schema") ?? "")).toEqual(outcomeSchema)
  })

  test("takes the job's model before the adapter's", () => {
    const model = Option.some("opus")
    expect(lineOf({ model })).toContain("--model opus")
    expect(lineOf({ model }, { model: Option.some("haiku") })).toContain("--model haiku")
    expect(lineOf()).not.toContain("--model")
  })

  test("names the settings file", () => {
    const settingsFile = Option.some({ given: "claude.json", path: "/etc/agents/claude.json" })
    expect(lineOf({ settingsFile })).toContain("--settings /etc/agents/claude.json")
  })

  test("keeps no session, unless extraArgs speak of one", () => {
    expect(lineOf()).toContain("--no-session-persistence")
    for (const flag of ["--resume", "-r", "--continue", "-c", "--session-id=1", "--fork-session"])
      expect(lineOf({ extraArgs: [flag] })).not.toContain("--no-session-persistence")
  })

  test("lets a restricted agent do only what rules allow, unless extraArgs choose another mode", () => {
    expect(lineOf()).toContain("--permission-mode dontAsk")
    for (const extraArgs of [["--permission-mode", "acceptEdits"], ["--permission-mode=acceptEdits"]]) {
      const line = lineOf({ extraArgs })
      expect(line).toContain(extraArgs.join(" "))
      expect(line).not.toContain("dontAsk")
    }
  })

  test("bypasses permissions for trusted-vm and never otherwise", () => {
    expect(claudeCode.bypass.join(" ")).toBe(BYPASS)
    expect(lineOf({ autonomy: "trusted-vm" })).toContain(BYPASS)
    expect(lineOf({ autonomy: "trusted-vm" })).not.toContain("dontAsk")
    expect(lineOf()).not.toMatch(/skip-permissions|bypassPermissions/)
  })

  test("leaves the operator's MCP servers and files to trusted input", () => {
    const args = argsOf({ extraArgs: ["--allowedTools", "Bash", "Write"] })
    expect(args.slice(-3)).toEqual(["--allowedTools", "Bash", "Write"])
    expect(args).not.toContain("--strict-mcp-config")
    expect(args).not.toContain("--setting-sources")
  })

  test("has no MCP servers where the profile withholds an integration", () => {
    expect(argsOf({}, { withheld: ["github"] })).toContain("--strict-mcp-config")
    expect(argsOf({}, { withheld: ["github"] })).not.toContain("--setting-sources")
  })

  test("reads no files of the working directory for untrusted input, whatever extraArgs say", () => {
    const args = argsOf({ extraArgs: ["--setting-sources", "project"] }, { untrusted: true })
    expect(args.slice(-3)).toEqual(["--strict-mcp-config", "--setting-sources", ""])
  })

  test("is not started where extraArgs bring what the job must not have", () => {
    const extraArgs = ["--mcp-config", "servers.json"]
    const withheld = claudeCode.invoke(plan({ extraArgs }, { withheld: ["github", "mail"] }))
    expect(withheld.problem?.reason).toBe(
      "the profile withholds github, mail, but the adapter's extraArgs hold --mcp-config"
    )
    expect(withheld.args).toEqual([])
    const untrusted = claudeCode.invoke(plan({ extraArgs: ["--plugin-dir=x"] }, { untrusted: true }))
    expect(untrusted.problem?.reason).toBe(
      "the input is untrusted, but the adapter's extraArgs hold --plugin-dir"
    )
    expect(claudeCode.invoke(plan({ extraArgs })).problem).toBeUndefined()
  })
})

describe("the environment", () => {
  test("keeps claude quiet, as it is, from expanding @ words, and from retrying for minutes", () => {
    expect(claudeCode.env(settings(), Option.none())).toEqual({
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
      CLAUDE_CODE_MAX_RETRIES: "2"
    })
  })

  test("has its temporary files in the attempt's own folder", () => {
    expect(claudeCode.env(settings(), Option.some("/state/scratch/a")).CLAUDE_CODE_TMPDIR).toBe(
      "/state/scratch/a"
    )
  })

  test.each([
    ["http://gateway:8080", "http://gateway:8080"],
    ["http://gateway:8080/v1", "http://gateway:8080"],
    ["http://gateway:8080/v1/", "http://gateway:8080"],
    ["http://gateway/anthropic/", "http://gateway/anthropic"],
    ["http://gateway/dev1", "http://gateway/dev1"]
  ])("a provider at %p is reached at %p, to which claude adds /v1", (providerBaseUrl, address) => {
    expect(
      claudeCode.env(settings({ provider: { providerBaseUrl } }), Option.none()).ANTHROPIC_BASE_URL
    ).toBe(address)
  })
})

test("a stop begins with SIGINT and two seconds, after which claude has told what it used", () => {
  expect(claudeCode.ladder).toEqual([{ signal: "SIGINT", wait: "2 seconds" }, ...usualLadder])
})

describe("an objection", () => {
  const objection = (changes: Partial<AgentCliSettings>, env: Record<string, string> = {}) =>
    Option.getOrUndefined(claudeCode.objection(settings(changes), env))

  test("is not raised against what claude-code can do", () => {
    expect(objection({})).toBeUndefined()
    expect(
      objection({ extraArgs: ["--verbose", "--max-turns", "3", "--allowedTools", "Bash(git *)", "Edit"] })
    ).toBeUndefined()
    expect(objection({ sandbox: Option.some("read-only"), provider: { providerId: "x" } })).toBeUndefined()
  })

  test.each([
    "--output-format",
    "--output-format=json",
    "--input-format",
    "--json-schema",
    "--replay-user-messages",
    "--"
  ])("is raised against %p, which is the runtime's", (flag) => {
    expect(objection({ extraArgs: ["--verbose", flag, "json"] })?.reason).toStartWith(
      `extraArgs hold ${flag.split("=")[0]}, which the runtime sets itself`
    )
  })

  test.each(["--bg", "--cloud", "--tmux", "--version", "-h"])(
    "is raised against %p, with which no result comes",
    (flag) => {
      expect(objection({ extraArgs: [flag] })?.reason).toContain("does not run the task here")
    }
  )

  test("is raised against work in another place", () => {
    expect(objection({ extraArgs: ["-w"] })?.remedy).toContain('"workspace": "worktree"')
  })

  test("is raised against a word that would become a prompt", () => {
    expect(objection({ extraArgs: ["Bash", "--verbose"] })?.reason).toContain("take it for a prompt")
  })

  test.each([
    [["--dangerously-skip-permissions"]],
    [["--allow-dangerously-skip-permissions"]],
    [["--permission-mode", "bypassPermissions"]],
    [["--permission-mode=bypassPermissions"]]
  ])("is raised against %p while autonomy is restricted", (extraArgs) => {
    expect(objection({ extraArgs })?.reason).toEndWith("but autonomy is restricted")
    expect(objection({ extraArgs })?.remedy).toContain("trusted-vm")
  })

  test("is raised against another permission mode beside trusted-vm", () => {
    const extraArgs = ["--permission-mode", "plan"]
    expect(objection({ autonomy: "trusted-vm", extraArgs }, { IS_SANDBOX: "1" })?.reason).toContain(
      "--permission-mode"
    )
  })

  test("is raised against root with trusted-vm, unless the environment says that it is a sandbox", () => {
    const own = process.getuid
    const at = (uid: number, env: Record<string, string>) => {
      process.getuid = () => uid
      try {
        return objection({ autonomy: "trusted-vm" }, env)
      } finally {
        if (own !== undefined) process.getuid = own
      }
    }
    expect(at(0, {})?.remedy).toContain('set "IS_SANDBOX": "1"')
    expect(at(0, { IS_SANDBOX: "yes" })).toBeDefined()
    expect(at(0, { IS_SANDBOX: "1" })).toBeUndefined()
    expect(at(0, { CLAUDE_CODE_BUBBLEWRAP: "1" })).toBeUndefined()
    expect(at(1000, {})).toBeUndefined()
  })

  test("is raised against an environment that lets @ words become files", () => {
    expect(objection({}, { CLAUDE_CODE_DISABLE_FILE_MENTIONS: "" })?.remedy).toBe(
      "remove it from the adapter's env"
    )
    expect(objection({}, { CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1" })).toBeUndefined()
  })

  test("is raised against a key where claude does not look, or that is not there", () => {
    const named = (providerEnvKey: string) => ({ provider: { providerEnvKey } })
    expect(objection(named("GATEWAY_KEY"), { GATEWAY_KEY: "k" })?.remedy).toContain("ANTHROPIC_AUTH_TOKEN")
    expect(objection(named("ANTHROPIC_AUTH_TOKEN"))?.reason).toContain("is not in the child's environment")
    expect(objection(named("ANTHROPIC_AUTH_TOKEN"), { ANTHROPIC_AUTH_TOKEN: "k" })).toBeUndefined()
  })
})
