import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { codex, MOST_CHARACTERS } from "../../../../layers/adapter/drivers/Codex.ts"
import type { Plan } from "../../../../layers/adapter/drivers/Driver.ts"
import type { AgentCliSettings } from "../../../../src/config/AdapterSettings.ts"
import { strictOutcomeSchema } from "../../../../src/context/OutcomeSchema.ts"
import { agentSettings } from "../../../support/children/agent.ts"
import { temporaryFolder } from "../../../support/children/support.ts"
import { it } from "../../../support/effect.ts"

const settingsOf = (changes: Partial<AgentCliSettings>) => agentSettings({ driver: "codex", ...changes })

const planOf = (
  changes: Partial<AgentCliSettings>,
  job: Partial<Plan["job"]> = {},
  plan: Partial<Plan> = {}
): Plan => ({
  settings: settingsOf(changes),
  job: { prompt: "# Task", model: Option.none(), untrusted: false, withheld: [], ...job },
  cwd: "/work dir",
  scratch: "/state/scratch/a",
  env: { HOME: "/nowhere", PATH: "/usr/bin" },
  abilities: new Set(),
  ...plan
})
const argsOf = (...given: Parameters<typeof planOf>) => codex.invoke(planOf(...given)).args
const has = (args: ReadonlyArray<string>, ...words: ReadonlyArray<string>): boolean =>
  args.some((_, at) => words.every((word, index) => args[at + index] === word))

const fixed = [
  "-c",
  "analytics.enabled=false",
  "-c",
  "check_for_update_on_startup=false",
  "--disable",
  "plugins",
  "--disable",
  "unbounded_connection_retries",
  "-c",
  "shell_environment_policy.ignore_default_excludes=false"
]

test("without settings: sandboxed, quiet, the prompt by stdin, the outcome's schema by file", () => {
  const { args, files, stdin } = codex.invoke(planOf({}))
  expect(args).toEqual([
    "exec",
    "--json",
    "--skip-git-repo-check",
    "--ephemeral",
    "--cd",
    "/work dir",
    "--sandbox",
    "workspace-write",
    ...fixed,
    "--output-schema",
    "/state/scratch/a/outcome.schema.json",
    "-"
  ])
  expect(stdin).toBe("# Task")
  expect(JSON.parse(files["outcome.schema.json"] ?? "")).toEqual(
    JSON.parse(JSON.stringify(strictOutcomeSchema))
  )
})

test("a profile that allows free-form results gets no strict schema", () => {
  const { args, files } = codex.invoke(planOf({}, { freeFormResult: true }))
  expect(args).not.toContain("--output-schema")
  expect(files).toEqual({})
})

test("the artifact root can be written from within the sandbox, and only there", () => {
  const env = { HOME: "/nowhere", AGENT_RUNTIME_ARTIFACT_DIR: "/artifacts" }
  expect(has(argsOf({}, {}, { env }), "--sandbox", "workspace-write", "--add-dir", "/artifacts")).toBe(true)
  const reading = argsOf({ sandbox: Option.some("read-only") }, {}, { env })
  expect([has(reading, "--sandbox", "read-only"), reading.includes("--add-dir")]).toEqual([true, false])
})

test("trusted-vm passes the bypass flag instead of a sandbox, and nothing else does", () => {
  const trusted = argsOf({ autonomy: "trusted-vm", sandbox: Option.some("read-only") })
  expect([has(trusted, ...codex.bypass), trusted.includes("--sandbox")]).toEqual([true, false])
  for (const sandbox of [Option.none(), Option.some("danger-full-access")])
    expect(argsOf({ sandbox }).some((word) => word.includes("bypass"))).toBe(false)
})

test("a task's model goes before the adapter's", () => {
  expect(has(argsOf({ model: Option.some("own") }), "-m", "own")).toBe(true)
  const asked = argsOf({ model: Option.some("own") }, { model: Option.some("asked") })
  expect([has(asked, "-m", "asked"), asked.includes("own")]).toEqual([true, false])
})

test("provider keys become one quoted table, with codex's own retries off", () => {
  const provider = {
    providerId: 'my."id"',
    providerName: "A\n\\B\u007f",
    providerBaseUrl: "http://h/v1",
    providerEnvKey: "KEY",
    providerRequiresOpenAIAuth: "true"
  }
  const args = argsOf({ provider, noOutputTimeoutMs: Option.some(7000) })
  expect(has(args, "-c", 'model_provider="my.\\"id\\""')).toBe(true)
  const table = args.find((word) => word.startsWith("model_providers=")) ?? ""
  expect(Bun.TOML.parse(table)).toEqual({
    model_providers: {
      'my."id"': {
        name: "A\n\\B\u007f",
        base_url: "http://h/v1",
        wire_api: "responses",
        env_key: "KEY",
        requires_openai_auth: true,
        request_max_retries: 0,
        stream_max_retries: 0,
        stream_idle_timeout_ms: 7000
      }
    }
  })
  expect(table).toContain("\\u007f")
  const unnamed = argsOf({ provider: { providerBaseUrl: "http://h/v1" } })
  expect(has(unnamed, "-c", 'model_provider="agent-runtime"')).toBe(true)
  const builtIn = argsOf({ provider: { providerId: "openai" } })
  expect(builtIn.some((word) => word.startsWith("model_providers"))).toBe(false)
})

test("secrets are kept from the model's shell by name; the attempt's marker is not", () => {
  const args = argsOf({ provider: { providerEnvKey: "KEY" } }, {}, { secretNames: ["PIN", "KEY"] })
  expect(has(args, "-c", 'shell_environment_policy.exclude=["PIN","KEY"]')).toBe(true)
  expect(args.some((word) => word.includes("inherit"))).toBe(false)
})

it.live("for untrusted input instructions of the folder and MCP servers are off", () =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    writeFileSync(
      join(home, "config.toml"),
      '[mcp_servers.one]\ncommand = "x"\n[mcp_servers."two.x"]\ncommand = "y"\n'
    )
    const plan = { env: { HOME: "/nowhere", CODEX_HOME: home } }
    const off = 'mcp_servers={"one"={"enabled"=false},"two.x"={"enabled"=false}}'
    const untrusted = argsOf({}, { untrusted: true }, plan)
    expect([has(untrusted, "-c", off), has(untrusted, "--disable", "apps")]).toEqual([true, true])
    expect(has(untrusted, "-c", "project_doc_max_bytes=0")).toBe(true)
    const withheld = argsOf({}, { withheld: ["github"] }, plan)
    expect([has(withheld, "-c", off), withheld.includes("project_doc_max_bytes=0")]).toEqual([true, false])
    expect(argsOf({}, {}, plan).some((word) => word.startsWith("mcp_servers"))).toBe(false)
    const { args } = codex.invoke(planOf({}, { untrusted: true }))
    expect(args.some((word) => word.startsWith("mcp_servers"))).toBe(false)
  })
)

test("extraArgs stand last, before the dash that stands for stdin", () => {
  expect(argsOf({ extraArgs: ["--search", "resume", "id"] }).slice(-4)).toEqual([
    "--search",
    "resume",
    "id",
    "-"
  ])
})

test("a prompt that codex would not take is not started", () => {
  const long = (prompt: string) => codex.invoke(planOf({}, { prompt })).problem
  expect(long("x".repeat(MOST_CHARACTERS))).toBeUndefined()
  expect(long("😀".repeat(MOST_CHARACTERS))).toBeUndefined()
  expect(long("x".repeat(MOST_CHARACTERS + 1))).toMatchObject({
    remedy: expect.stringContaining("max_prompt_chars")
  })
})

const objects = (changes: Partial<AgentCliSettings>, env: Record<string, string> = { HOME: "/root" }) =>
  Option.match(codex.objection(settingsOf(changes), env), {
    onNone: () => "",
    onSome: ({ reason, remedy }) => `${reason}; ${remedy}`
  })

test("flags that codex takes once are objected to, with the setting that says the same", () => {
  expect(objects({})).toBe("")
  expect(objects({ extraArgs: ["--search", "-c", 'model_reasoning_effort="high"', "--add-dir", "/x"] })).toBe(
    ""
  )
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ["--sandbox", /--sandbox, which codex takes once.*"sandbox"/],
    ["--sandbox=read-only", /--sandbox, which.*"sandbox"/],
    ["-sread-only", /-s, which.*"sandbox"/],
    ["--cd", /"workingDir"/],
    ["-C", /"workingDir"/],
    ["-mgpt", /"model"/],
    ["-p", /"settingsFile"/],
    ["--json", /passes it always/],
    ["--output-schema=f", /gives the outcome's schema/],
    ["--full-auto", /has it no more/],
    ["--dangerously-bypass-approvals-and-sandbox", /autonomy is restricted; remove it, or set "autonomy"/],
    ["--yolo", /autonomy is restricted/]
  ]
  for (const [flag, expected] of cases) expect(objects({ extraArgs: [flag] })).toMatch(expected)
  expect(objects({ extraArgs: ["--yolo"], autonomy: "trusted-vm" })).toMatch(/trusted-vm passes already/)
})

test("a provider that codex would refuse is objected to", () => {
  expect(objects({ provider: { providerWireApi: "chat" } })).toMatch(/no longer supported.*"responses"/)
  expect(objects({ provider: { providerId: "openai", providerBaseUrl: "http://h" } })).toMatch(
    /openai-custom/
  )
  expect(objects({ provider: { providerId: "openai" } })).toBe("")
  expect(objects({ provider: { providerEnvKey: "KEY" } })).toMatch(
    /not in the adapter's environment; add KEY/
  )
  expect(objects({ provider: { providerEnvKey: "KEY" } }, { HOME: "/root", KEY: "k" })).toBe("")
})

test("a settings file is codex's own configuration or a profile in its home", () => {
  const file = (path: string) => ({ settingsFile: Option.some({ given: path, path }) })
  const main = file("/cx/config.toml")
  expect(codex.env(settingsOf(main), Option.none())).toEqual({ CODEX_HOME: "/cx" })
  expect(objects(main, { HOME: "/root", CODEX_HOME: "/other" })).toMatch(
    /does not lie in CODEX_HOME \(\/other\)/
  )
  const profile = file("/root/.codex/work.config.toml")
  expect([codex.env(settingsOf(profile), Option.none()), objects(profile)]).toEqual([{}, ""])
  expect(has(argsOf(profile), "-p", "work")).toBe(true)
  expect(argsOf(main)).not.toContain("-p")
  expect(objects(file("/cx/settings.json"))).toMatch(/is nothing that codex reads; name a config\.toml/)
})

it.live("a home that does not exist, or where the sandbox does not work, is objected to", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [home, bin] = [join(folder, "home"), join(folder, "bin")]
    const env = { HOME: "/root", TMPDIR: folder, CODEX_HOME: home, PATH: bin }
    expect(objects({}, env)).toBe(`CODEX_HOME ${home} is not there; mkdir -p ${home}`)
    mkdirSync(home)
    expect(objects({}, env)).toBe("")
    mkdirSync(bin)
    writeFileSync(join(bin, "bwrap"), "#!/bin/sh\n", { mode: 0o755 })
    expect(objects({}, env)).toMatch(/sandbox does not work with the system's bwrap; set CODEX_HOME/)
    expect(objects({ autonomy: "trusted-vm" }, env)).toBe("")
    expect(objects({ sandbox: Option.some("danger-full-access") }, env)).toBe("")
    expect(objects({}, { ...env, TMPDIR: bin })).toBe("")
    expect(objects({}, {})).toMatch(/neither CODEX_HOME nor HOME is set/)
  })
)
