import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Layer } from "effect"
import heartbeat from "../config/adapters/heartbeat.sh" with { type: "text" }
import awk from "../config/adapters/local.awk" with { type: "text" }
import local from "../config/adapters/local.sh" with { type: "text" }
import emailHandler from "../config/profiles/email-handler.json"
import forge from "../config/profiles/forge.json"
import lumen from "../config/profiles/lumen.json"
import provingClaude from "../config/profiles/proving-claude.json"
import provingCodex from "../config/profiles/proving-codex.json"
import spark from "../config/profiles/spark.json"
import example from "../config/runtime.example.json"
import { StoreUnavailable } from "../src/store/StoreError.ts"

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** The example configuration with all that it names, by path below its folder. */
const FILES: Readonly<Record<string, string>> = {
  "runtime.json": json(example),
  "adapters/heartbeat.sh": heartbeat,
  "adapters/local.awk": awk,
  "adapters/local.sh": local,
  "profiles/email-handler.json": json(emailHandler),
  "profiles/forge.json": json(forge),
  "profiles/lumen.json": json(lumen),
  "profiles/proving-claude.json": json(provingClaude),
  "profiles/proving-codex.json": json(provingCodex),
  "profiles/spark.json": json(spark)
}

const unpack = (): { readonly root: string; readonly config: string } => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "agent-runtime-demo-"))
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(root, "config", name)
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    fs.writeFileSync(file, text, { mode: name.endsWith(".sh") ? 0o700 : 0o600 })
  }
  return { root, config: path.join(root, "config", "runtime.json") }
}

const unusable = (cause: unknown) =>
  new StoreUnavailable({
    path: os.tmpdir(),
    reason: `no folder can be made in it (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy: "set TMPDIR to a folder that this user can write"
  })

/** Builds a layer on the built-in example configuration in a folder that is gone when the scope ends. */
export const inThrowAwayFolder = <A, E, R>(make: (configPath: string) => Layer.Layer<A, E, R>) =>
  Layer.unwrapScoped(
    Effect.acquireRelease(Effect.try({ try: unpack, catch: unusable }), ({ root }) =>
      Effect.sync(() => fs.rmSync(root, { recursive: true, force: true }))
    ).pipe(Effect.map(({ config }) => make(config)))
  )
