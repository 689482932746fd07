import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Layer } from "effect"
import { StoreUnavailable } from "../src/store/StoreError.ts"
import { exampleFiles } from "./config/ExampleFiles.ts"

const unpack = (): { readonly root: string; readonly config: string } => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "agent-runtime-demo-"))
  for (const [name, text] of Object.entries(exampleFiles)) {
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
