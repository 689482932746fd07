import { expect } from "bun:test"
import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Option, TestClock } from "effect"
import * as ConfiguredAdapters from "../../../layers/adapter/ConfiguredAdapters.ts"
import { Processes } from "../../../layers/adapter/Process.ts"
import * as ScriptedAdapters from "../../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry, type ProbeResult } from "../../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings, AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../../../src/config/RuntimeConfig.ts"
import { agentSettings } from "../../support/children/agent.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { settings } from "../../support/settings.ts"

const { scriptSettings } = ScriptedAdapters

/** What every driver asks of the place: a home of its own, and claude-code a sandbox for root. */
const PLACE = { CODEX_HOME: "/", CLAUDE_CONFIG_DIR: "/", HERMES_HOME: "/", IS_SANDBOX: "1" }

const settingsWith = (adapters: ReadonlyArray<AdapterSettings>): Settings =>
  settings({ stateDir: "/s", adapters: new Map(adapters.map((adapter) => [adapter.id, adapter])) })

const neverRuns = Layer.succeed(Processes, { run: () => Effect.dieMessage("a probe must not run anything") })

const adapterOf = (
  settings: AdapterSettings,
  ...others: ReadonlyArray<AdapterSettings>
): Effect.Effect<Adapter> =>
  Effect.flatMap(AdapterRegistry, ({ get }) => get(settings.id)).pipe(
    Effect.orDie,
    Effect.provide(
      ConfiguredAdapters.layer.pipe(
        Layer.provide(Layer.succeed(RuntimeConfig, settingsWith([settings, ...others]))),
        Layer.provide(neverRuns)
      )
    )
  )

it.effect(
  "a script that can be started passes its probe; an env file that others can read is a warning",
  () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "adapter.env")
      writeFileSync(path, "A=1\nodd\n")
      chmodSync(path, 0o644)
      const { probe } = yield* adapterOf(
        scriptSettings("a", {
          command: { given: "sh", path: "sh" },
          envFile: Option.some({ given: "x", path })
        })
      )
      expect(yield* probe).toEqual({
        ok: true,
        reason: "",
        remedy: "",
        warnings: [
          `env file ${path} can be read by others: chmod 600 ${path}`,
          `env file ${path}: not KEY=value in line 2, passed over`
        ]
      })
    })
)

it.effect(
  "a probe warns of secrets that are too short to be masked, and of nothing else in an env file",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [path, pin] = [join(folder, "adapter.env"), join(folder, "pin")]
      const plain = ["PORT=80", "DEBUG=true", "TMP=/tmp", "URL=a://b", "EMPTY=", "LONG=hunter22"]
      writeFileSync(path, [...plain, "PIN=x1y2z"].join("\n"), { mode: 0o600 })
      writeFileSync(pin, "p1n", { mode: 0o600 })
      const { probe } = yield* adapterOf(
        scriptSettings("a", {
          command: { given: "sh", path: "sh" },
          envFile: Option.some({ given: "x", path }),
          env: { OTHER: { secretFile: { given: "pin", path: pin } } }
        })
      )
      const warning = "has fewer than 6 characters and is not masked in what is stored"
      expect(yield* probe).toMatchObject({
        ok: true,
        warnings: [`PIN of env file ${path} ${warning}`, `env OTHER ${warning}`]
      })
    })
)

it.effect("a probe holds for 30 seconds and is then made anew", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "tool")
    const { probe } = yield* adapterOf(scriptSettings("a", { command: { given: "tool", path } }))
    expect(yield* probe).toMatchObject({ ok: false, reason: `command ${path} is not there` })
    writeFileSync(path, "#!/bin/sh\n", { mode: 0o700 })
    expect(existsSync(path)).toBe(true)
    yield* TestClock.adjust("29 seconds")
    expect((yield* probe).ok).toBe(false)
    yield* TestClock.adjust("2 seconds")
    expect((yield* probe).ok).toBe(true)
  })
)

it.effect("a missing working directory is a finding with a remedy", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "work")
    const { probe } = yield* adapterOf(
      scriptSettings("a", {
        command: { given: "sh", path: "sh" },
        workingDir: Option.some({ given: "work", path })
      })
    )
    expect(yield* probe).toEqual({
      ok: false,
      reason: `working directory ${path} is not there`,
      remedy: `mkdir -p ${path}`,
      warnings: []
    })
  })
)

it.effect("a probe tells all that is wrong at once, each with what mends it", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const placed = (given: string) => ({ given, path: join(folder, given) })
    const child = {
      command: placed("tool"),
      envFile: Option.some(placed("a.env")),
      env: {
        A: { secretFile: placed("secret") },
        B: { secretEnv: "AGENT_RUNTIME_TEST_NOT_SET" },
        C: { credential: "../c" },
        D: "plain"
      },
      workingDir: Option.some(placed("work"))
    }
    const wrong = ({ others = [], ...first }: ProbeResult) => {
      expect([first, ...others].every(({ remedy }) => remedy !== "")).toBe(true)
      return [first, ...others].map(({ reason }) => reason.replaceAll(`${folder}/`, ""))
    }
    const env = [
      "env file a.env cannot be read (ENOENT)",
      "secret file secret cannot be read (ENOENT)",
      "secret variable AGENT_RUNTIME_TEST_NOT_SET is not set",
      'credential "../c" is not a file name'
    ]
    const script = yield* adapterOf(scriptSettings("a", child))
    expect(wrong(yield* script.probe)).toEqual([
      ...env,
      "command tool is not there",
      "working directory work is not there"
    ])
    // What its driver would object to hangs on the variables, which are not all known.
    const provider = { providerWireApi: "responses", providerEnvKey: "A" } as const
    const model = Option.some("-m")
    const agent = { ...child, settingsFile: Option.some(placed("config.toml")), model, provider }
    const { probe } = yield* adapterOf(agentSettings(agent))
    expect(wrong(yield* probe)).toEqual([
      ...env,
      "command tool is not there",
      "settings file config.toml cannot be read (ENOENT)",
      'the model "-m" begins with "-", and the program would take it for an option',
      "working directory work is not there"
    ])
  })
)

it.effect(
  "a probe warns of the secrets of the whole configuration in arguments, but of none that are too short",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "a.env"), "KEY=s3cret-of-a\nPIN=12ab\n", { mode: 0o600 })
      const envFile = Option.some({ given: "a.env", path: join(folder, "a.env") })
      const sh = { command: { given: "sh", path: "sh" } }
      const probes = (extraArgs: ReadonlyArray<string>) =>
        Effect.forEach(
          [
            scriptSettings("a", { ...sh, envFile, extraArgs }),
            agentSettings({ ...sh, env: PLACE, envFile, extraArgs })
          ],
          (settings) => Effect.flatMap(adapterOf(settings), ({ probe }) => probe)
        )
      for (const found of yield* probes(["-x", "key:s3cret-of-a"])) {
        expect(found.ok).toBe(true)
        expect(found.warnings).toContainEqual(
          expect.stringMatching(/^extraArgs\[1\] holds the value of the secret KEY,.*its variable KEY/)
        )
        expect(JSON.stringify(found)).not.toContain("s3cret")
      }
      for (const { warnings } of yield* probes(["-x", "12ab"]))
        expect(warnings.join()).not.toContain("holds the value")
      const others = scriptSettings("b", { ...sh, extraArgs: ["s3cret-of-a"] })
      const elsewhere = yield* adapterOf(others, scriptSettings("a", { ...sh, envFile }))
      expect((yield* elsewhere.probe).warnings).toEqual([
        expect.stringMatching(/^extraArgs\[0\] holds the value of a secret of this configuration,/)
      ])
    })
)

it.effect("an unknown id is none, a known one is listed", () =>
  Effect.gen(function* () {
    const { ids, get } = yield* AdapterRegistry
    expect([ids, Option.isSome(get("a")), Option.isNone(get("b"))]).toEqual([["a"], true, true])
  }).pipe(Effect.provide(ScriptedAdapters.layer({ a: () => Effect.succeed({}) })))
)

it.effect("a probe of an agent's program names the flags of trusted-vm, and runs nothing", () =>
  Effect.gen(function* () {
    const agent = (changes: Partial<AgentCliSettings>) =>
      Effect.flatMap(
        adapterOf(agentSettings({ command: { given: "sh", path: "sh" }, env: PLACE, ...changes })),
        ({ probe }) => probe
      )
    const flags: ReadonlyArray<readonly [AgentCliSettings["driver"], string]> = [
      ["codex", "--dangerously-bypass-approvals-and-sandbox"],
      [
        "claude-code",
        "--allow-dangerously-skip-permissions --dangerously-skip-permissions --permission-mode bypassPermissions"
      ],
      ["hermes-agent", "--yolo"]
    ]
    for (const [driver, words] of flags) {
      const sure = yield* agent({ driver })
      expect(sure.warnings.join()).not.toContain("trusted-vm passes")
      const { warnings } = yield* agent({ driver, autonomy: "trusted-vm" })
      expect(warnings).toContain(
        `autonomy trusted-vm passes ${words}: the agent may do all that this user may`
      )
    }
  })
)

it.effect("a probe of an agent's program tells of its settings file and of what its driver objects to", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const path = join(folder, "config.toml")
    const agent = agentSettings({ command: { given: "sh", path: "sh" }, env: PLACE })
    const settingsFile = Option.some({ given: "config.toml", path })
    const { probe } = yield* adapterOf({ ...agent, env: {}, settingsFile })
    expect(yield* probe).toMatchObject({
      ok: false,
      reason: `settings file ${path} cannot be read (ENOENT)`
    })
    const chat = yield* adapterOf({ ...agent, provider: { providerWireApi: "chat" } })
    expect(yield* chat.probe).toMatchObject({
      ok: false,
      reason: expect.stringContaining("no longer supported"),
      remedy: expect.stringContaining("openai-chat")
    })
  })
)

it.live("model servers are asked by their own probes", () =>
  Effect.gen(function* () {
    const { mode: _mode, ...common } = scriptSettings("m")
    const server = { ...common, endpoint: "http://127.0.0.1:1", model: "m" }
    const ollama = yield* adapterOf({
      ...server,
      mode: "ollama-generate",
      options: {},
      keepAlive: Option.none()
    })
    const chat = yield* adapterOf({ ...server, mode: "openai-chat", apiKey: Option.none() })
    for (const { probe } of [ollama, chat]) {
      const { ok, reason } = yield* probe
      expect([ok, reason]).toEqual([false, expect.stringContaining("127.0.0.1:1")])
    }
  })
)
