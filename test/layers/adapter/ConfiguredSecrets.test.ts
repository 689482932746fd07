import { expect } from "bun:test"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Logger, Option, TestClock } from "effect"
import * as ConfiguredAdapters from "../../../layers/adapter/ConfiguredAdapters.ts"
import { configuredSecrets } from "../../../layers/adapter/ConfiguredSecrets.ts"
import { scriptSettings } from "../../../layers/adapter/ScriptedAdapters.ts"
import { AdapterRegistry } from "../../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../../../src/config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../../../src/config/RuntimeConfig.ts"
import { agentSettings } from "../../support/children/agent.ts"
import { processes, temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { execute, nowhere, ollamaSettings, openAiSettings } from "../../support/serverStub.ts"
import { settings } from "../../support/settings.ts"

const configurationOf = (
  adapters: ReadonlyArray<AdapterSettings>,
  tokenFiles: ReadonlyArray<string> = []
): Settings => {
  const plain = settings()
  return {
    ...plain,
    adapters: new Map(adapters.map((adapter) => [adapter.id, adapter])),
    http: {
      ...plain.http,
      tokens: [
        ...tokenFiles.map((path) => ({
          name: path,
          role: "read" as const,
          secret: { tokenFile: { given: path, path } }
        })),
        { name: "hashed", role: "read", secret: { sha256: "0".repeat(64) } }
      ]
    }
  }
}

/** A folder in which files are written; answers where each of them lies. */
const place = Effect.map(temporaryFolder, (folder) => ({
  folder,
  put: (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return { given: name, path }
  }
}))

const withEnvFile = (id: string, file: { readonly given: string; readonly path: string }) =>
  scriptSettings(id, { envFile: Option.some(file) })

it.effect("the secrets of all adapters and of the API's token files are masked, however they are given", () =>
  Effect.gen(function* () {
    const { folder, put } = yield* place
    put("handed", "by-systemd-1\n")
    const open = put("open", "open-to-others\n")
    chmodSync(open.path, 0o644)
    const masking = yield* configuredSecrets(
      configurationOf(
        [
          scriptSettings("a", {
            envFile: Option.some(put("a.env", "export KEY='in the env file'\nPORT=808080\nTMP=/usr/bin\n")),
            env: {
              PLAIN: "not-a-secret",
              FILE: { secretFile: put("key", "in-a-file\n") },
              OPEN: { secretFile: open },
              HANDED: { credential: "handed" }
            }
          }),
          agentSettings({ id: "b", env: { GIVEN: { secretEnv: "GIVEN" } } }),
          ollamaSettings("http://user:p%40ssword@localhost:1"),
          openAiSettings("http://only-user@localhost:1", {
            apiKey: Option.some({ secretFile: put("apiKey", "sk-of-openai\n") })
          })
        ],
        [put("token", " \n token-of-api \n\n").path]
      ),
      { GIVEN: "by-variable", OTHER: "other-variable", CREDENTIALS_DIRECTORY: folder }
    )
    const { text } = yield* masking([])
    const secrets = [
      ...["in the env file", "in-a-file", "open-to-others", "by-systemd-1", "by-variable"],
      ...["p@ssword", "only-user", "sk-of-openai", "token-of-api"]
    ]
    expect(secrets.map((secret) => text(`<${secret}\n>`))).toEqual(secrets.map(() => "<[redacted]\n>"))
    const others = "808080 /usr/bin not-a-secret other-variable localhost"
    expect(text(others)).toBe(others)
  })
)

it.live("what cannot be read is passed over, a pipe without waiting for it, and hides nothing else", () =>
  Effect.gen(function* () {
    const { folder, put } = yield* place
    mkdirSync(join(folder, "folder"))
    expect(Bun.spawnSync(["mkfifo", join(folder, "pipe")]).exitCode).toBe(0)
    const odd = ["missing", "folder", "pipe", put("huge", "x".repeat(2 * 1024 * 1024)).given]
    const placed = odd.map((given) => ({ given, path: join(folder, given) }))
    const masking = yield* configuredSecrets(
      configurationOf(
        [
          ...placed.map((file) => withEnvFile(`env ${file.given}`, file)),
          ...placed.map((file) =>
            scriptSettings(`file ${file.given}`, {
              env: { A: { secretFile: file }, B: { secretEnv: "NOT_SET" }, C: { credential: "../key" } }
            })
          ),
          withEnvFile("fine", put("fine.env", "KEY=hunter22\n"))
        ],
        [...placed.map(({ path }) => path), put("token", "token-of-api").path]
      ),
      { CREDENTIALS_DIRECTORY: folder }
    )
    const { text } = yield* masking([])
    expect(text("hunter22 and token-of-api")).toBe("[redacted] and [redacted]")
  })
)

it.effect("a reading holds for 5 seconds; an attempt's own secrets are masked whatever was read", () =>
  Effect.gen(function* () {
    const { put } = yield* place
    const file = put("a.env", "KEY=the-first-key\n")
    const masking = yield* configuredSecrets(configurationOf([withEnvFile("a", file)]), {})
    const first = yield* masking(["the-first-key"])
    put("a.env", "KEY=the-second-key\n")
    yield* TestClock.adjust("4 seconds")
    expect(yield* masking([])).toBe(first)
    const between = yield* masking(["the-second-key"])
    expect(between.text("the-first-key the-second-key")).toBe("[redacted] [redacted]")
    yield* TestClock.adjust("2 seconds")
    const second = yield* masking([])
    expect(second.text("the-first-key the-second-key")).toBe("the-first-key [redacted]")
    yield* TestClock.adjust("1 minute")
    expect(yield* masking(["the-second-key"])).toBe(second)
  })
)

it.effect(
  "secrets beyond 32 Ki characters are left to their own adapter's attempts, and a warning says so",
  () =>
    Effect.gen(function* () {
      const { put } = yield* place
      const long = Array.from({ length: 2_000 }, (_, at) => `line ${at} of what is long`)
      const adapters = [
        withEnvFile("a", put("a.env", "KEY=hunter22\n")),
        scriptSettings("b", { env: { LONG: { secretFile: put("long", long.join("\n")) } } }),
        withEnvFile("c", put("c.env", "KEY=the-other-key\n"))
      ]
      const lines: Array<string> = []
      const masking = yield* configuredSecrets(configurationOf(adapters), {})
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void lines.push(String(message)))
      )
      const { text } = yield* Effect.provide(masking([]), logger)
      yield* TestClock.adjust("1 minute")
      yield* Effect.provide(masking([]), logger)
      expect(text("hunter22 the-other-key")).toBe("[redacted] [redacted]")
      expect(lines).toHaveLength(1)
      expect(lines[0]).toStartWith("1 secrets of the configuration are masked in the attempts of their own")
      expect(lines[0]).not.toContain("line")
      expect((yield* masking(["line 7 of what is long"])).text("line 7 of what is long")).toBe("[redacted]")
    })
)

it.live("every mode masks what another adapter is configured with, in what it stores", () =>
  Effect.gen(function* () {
    const { folder, put } = yield* place
    const file = put("other.env", "KEY=of-another-adapter\n")
    const url = yield* nowhere
    const command = put("printing", `#!/bin/sh\ncat ${file.path}; cat ${file.path} >&2\n`)
    chmodSync(command.path, 0o700)
    const adapters = [
      withEnvFile("other", file),
      scriptSettings("script", { command }),
      agentSettings({ id: "agent", command }),
      ollamaSettings(url),
      openAiSettings(url)
    ]
    yield* Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      for (const { id } of adapters.slice(1)) {
        const adapter = yield* registry.get(id)
        const { execution, file } = yield* execute(adapter, { prompt: "it is of-another-adapter" })
        expect([id, execution.redactor.text("<of-another-adapter>")]).toEqual([id, "<[redacted]>"])
        const stored =
          id === "ollama" || id === "chat" ? ["assembled-context.txt"] : ["stdout.log", "stderr.log"]
        for (const name of stored)
          expect([id, name, file(name)]).toEqual([
            id,
            name,
            expect.stringMatching(/^(KEY=|it is )\[redacted\]\s*$/)
          ])
      }
    }).pipe(
      Effect.provide(
        ConfiguredAdapters.layer.pipe(
          Layer.provide(
            Layer.succeed(RuntimeConfig, {
              ...configurationOf(adapters),
              configPath: join(folder, "runtime.json"),
              stateDir: join(folder, "state")
            })
          ),
          Layer.provide(processes(join(folder, "state")))
        )
      )
    )
  })
)
