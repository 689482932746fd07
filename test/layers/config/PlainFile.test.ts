import { describe, expect } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Option, Redacted } from "effect"
import { mcpServersOff } from "../../../layers/adapter/drivers/CodexConfig.ts"
import { readEnvFile } from "../../../layers/adapter/EnvFile.ts"
import { recall } from "../../../layers/adapter/EscapeRecord.ts"
import { resolveSecret } from "../../../layers/adapter/Secrets.ts"
import { readPlain, readPlainText } from "../../../layers/config/PlainFile.ts"
import * as DiskHostFiles from "../../../layers/deploy/DiskHostFiles.ts"
import * as AccessKeyFiles from "../../../layers/http/AccessKeyFiles.ts"
import { HostFiles } from "../../../src/artifact/HostFiles.ts"
import { RuntimeConfig } from "../../../src/config/RuntimeConfig.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"
import { agentSettings } from "../../support/children/agent.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { pipeFile } from "../../support/pipeFile.ts"
import { settings } from "../../support/settings.ts"

const NOT_PLAIN = "it is not a regular file"

it.live("a plain file is read whole, also through a symlink; nothing else is", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    writeFileSync(join(folder, "file"), "text", { mode: 0o640 })
    symlinkSync("file", join(folder, "link"))
    mkdirSync(join(folder, "folder"))
    yield* pipeFile(join(folder, "pipe"), "text")
    expect(readPlainText(join(folder, "link"))).toBe("text")
    expect(readPlain(join(folder, "file")).mode & 0o777).toBe(0o640)
    const refusal = (name: string, most?: number) => {
      try {
        return readPlainText(name, most)
      } catch (cause) {
        return Reflect.get(Object(cause), "code")
      }
    }
    expect(refusal(join(folder, "pipe"))).toBe(NOT_PLAIN)
    expect(refusal("/dev/zero")).toBe(NOT_PLAIN)
    expect(refusal(join(folder, "folder"))).toBe("EISDIR")
    expect(refusal(join(folder, "gone"))).toBe("ENOENT")
    expect(refusal(join(folder, "file"), 3)).toBe("it has 4 bytes, at most 3 are read")
  })
)

describe("a pipe is refused at once, and not waited for, in the place of", () => {
  const inPlace = (
    what: string,
    text: string,
    look: (path: string, folder: string) => Effect.Effect<unknown, unknown>
  ) =>
    it.live(what, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const path = join(folder, "pipe")
        yield* pipeFile(path, text)
        const found = yield* Effect.merge(look(path, folder))
        expect(JSON.stringify(found)).toContain(NOT_PLAIN)
      })
    )

  inPlace("an env file", "KEY=value", (path) => readEnvFile({ given: "pipe", path }))
  inPlace("a secret file", "value", (path) =>
    Effect.map(resolveSecret({ secretFile: { given: "pipe", path } }, {}), Redacted.value)
  )
  inPlace("a credential", "value", (_, folder) =>
    Effect.map(resolveSecret({ credential: "pipe" }, { CREDENTIALS_DIRECTORY: folder }), Redacted.value)
  )
  inPlace("a token file", "a-token-that-is-long-enough", (path, stateDir) => {
    const secret = { tokenFile: { given: "pipe", path } }
    const http = { ...settings().http, tokens: [{ name: "ops", role: "read" as const, secret }] }
    return Effect.scoped(Layer.build(AccessKeyFiles.layer)).pipe(
      Effect.provideService(RuntimeConfig, settings({ http, stateDir })),
      Effect.as("read")
    )
  })
  inPlace("a file that agent-init would leave alone", "text", (path) =>
    Effect.flatMap(HostFiles, (files) => files.read(path)).pipe(Effect.provide(DiskHostFiles.layer))
  )
})

it.live("what an agent can put a pipe in the place of is read as if nothing were there", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const attemptId = AttemptId.make("01900000-0000-7000-8000-000000000001")
    mkdirSync(join(folder, "processes"))
    yield* pipeFile(
      join(folder, "processes", `${attemptId}.json`),
      '{"processes":[{"pid":1,"start_time":"1@x"}]}'
    )
    expect(recall(folder, attemptId).size).toBe(0)
    yield* pipeFile(join(folder, "config.toml"), "[mcp_servers.one]\n")
    expect(mcpServersOff(agentSettings(), Option.some(folder))).toEqual([])
  })
)
