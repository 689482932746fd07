import { describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { load } from "../../../layers/config/ConfigFile.ts"
import type { Settings } from "../../../src/config/RuntimeConfig.ts"

const repository = join(import.meta.dir, "../../..")
const good = (path: string): Settings => Effect.runSync(load(path))

describe("the example configurations", () => {
  const example = join(repository, "config/runtime.example.json")

  test("the first loads as it is, with every profile, and needs no model and no network", () => {
    const settings = good(example)
    expect(settings.defaultProfile).toBe("lumen")
    expect(settings.defaultAdapter).toBe("local")
    expect([...settings.profiles.keys()]).toEqual([
      "lumen",
      "proving-claude",
      "proving-codex",
      "spark",
      "forge",
      "email-handler"
    ])
    expect([...settings.adapters.values()].map((adapter) => adapter.mode)).toEqual(["script", "script"])
    expect(settings.stateDir).toBe(join(repository, "state"))
    expect(settings.adapters.get("aibtc-heartbeat")?.retryHintService).toEqual(Option.some("aibtc"))
    expect(settings.profiles.get("email-handler")?.style).toBe("quarantine")
    expect(settings.profiles.get("lumen")?.toolPolicy).toEqual({
      allow_repo_changes: false,
      allow_external_post: false
    })
  })

  test("the second extends it by every other mode and driver", () => {
    const settings = good(join(repository, "config/runtime.models.example.json"))
    const adapters = [...settings.adapters.values()]
    expect(
      new Set(adapters.map((adapter) => (adapter.mode === "agent-cli" ? adapter.driver : adapter.mode)))
    ).toEqual(new Set(["script", "codex", "claude-code", "hermes-agent", "ollama-generate", "openai-chat"]))
    expect(settings.profiles.size).toBe(6)
    expect(
      adapters.some((adapter) => adapter.mode === "agent-cli" && adapter.autonomy === "trusted-vm")
    ).toBe(false)
  })

  test("the second lets untrusted tasks reach no adapter with hands, and holds no secret itself", () => {
    const { adapters, dispatch } = good(join(repository, "config/runtime.models.example.json"))
    const admitted = Option.getOrThrow(dispatch.untrustedAdapters)
    expect(admitted.map((id) => adapters.get(id)?.mode)).toEqual(["script", "ollama-generate", "openai-chat"])
    expect(adapters.get("openai-chat")).toMatchObject({
      apiKey: Option.some({ secretEnv: "OPENAI_CHAT_API_KEY" })
    })
    for (const adapter of adapters.values())
      if (adapter.mode === "agent-cli") {
        expect(Option.isSome(adapter.envFile)).toBe(true)
        expect(adapter.env).toEqual({})
      }
  })

  test("each profile file is configured, and each env file has an example", () => {
    const named = new Set([...good(example).profiles.keys()].map((id) => `${id}.json`))
    expect(new Set(readdirSync(join(repository, "config/profiles")))).toEqual(named)
    const models = readFileSync(join(repository, "config/runtime.models.example.json"), "utf8")
    const wanted = [...models.matchAll(/"envFile": "([^"]+)"/g)].map((match) => `${match[1]}.example`)
    expect(readdirSync(join(repository, "config"))).toEqual(expect.arrayContaining(wanted))
  })
})

describe("a configuration of the original runtime", () => {
  test("loads unchanged, snake_case keys, soulPath and provider keys included", () => {
    const home = join(repository, "fixtures/config")
    const settings = good(join(home, "original.host.json"))
    expect(settings.stateDir).toBe(join(home, "state"))
    expect(settings.identity).toEqual(Option.some({ given: "IDENTITY.md", path: join(home, "IDENTITY.md") }))
    expect(settings.adapters.get("claude")).toMatchObject({
      command: { given: "~/.local/bin/claude", path: join(homedir(), ".local/bin/claude") },
      fallbackAdapter: Option.some("codex"),
      workspace: "exclusive",
      autonomy: "trusted-vm"
    })
    expect(settings.adapters.get("codex")).toMatchObject({
      provider: {
        providerId: "remote",
        providerName: "Remote",
        providerBaseUrl: "http://127.0.0.1:11434/v1",
        providerWireApi: "responses",
        providerRequiresOpenAIAuth: "false"
      },
      sandbox: Option.some("workspace-write")
    })
    expect(settings.adapters.get("ollama")).toMatchObject({
      endpoint: "http://127.0.0.1:11434",
      workspace: "shared"
    })
    expect(settings.adapters.get("aibtc-heartbeat")?.retryHintService).toEqual(Option.some("aibtc"))
  })

  test("loads a profile with every key of its own, and each driver", () => {
    const settings = good(join(repository, "fixtures/config/original.host.json"))
    expect(settings.profiles.get("older")).toMatchObject({
      profileId: "older",
      style: "codex-like",
      systemPromptParts: ["Say what changed.", "Say why it matters."],
      skills: ["repo-maintenance"],
      defaultAdapter: "codex",
      toolPolicy: { allow_repo_changes: true, allow_external_post: false, allow_wallet: false },
      contextPolicy: { includeRecentTaskMemory: true, maxPromptChars: 16_000 },
      resultSchema: {
        primaryOutput: "operator_summary",
        allowFollowUpTasks: true,
        allowExternalMessages: false
      },
      integrationPolicies: { github: "bridge-only", discord: "supervised", aibtc: "none" }
    })
    expect(settings.purpose).toMatchObject(Option.some({ given: "PURPOSE.md" }))
    expect(settings.adapters.get("hermes")).toMatchObject({
      driver: "hermes-agent",
      command: { given: "hermes" },
      workingDir: Option.some({ path: join(homedir(), "work") }),
      extraArgs: ["--quiet"],
      autonomy: "restricted",
      retryHintService: Option.some("hiro"),
      fallbackAdapter: Option.some("ollama")
    })
    expect(settings.adapters.get("aibtc-heartbeat")).toMatchObject({
      extraArgs: ["--once"],
      timeoutMs: 60_000
    })
  })

  test("loads from outside the checkout, by an absolute path to what it extends", () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-runtime-host-"))
    try {
      const file = join(folder, "host.json")
      const extended = join(repository, "fixtures/config/original.host.json")
      writeFileSync(file, JSON.stringify({ extends: extended, defaultAdapter: "codex" }))
      const settings = good(file)
      expect(settings.defaultAdapter).toBe("codex")
      expect(settings.stateDir).toBe(join(repository, "fixtures/config/state"))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
