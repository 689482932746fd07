import { Effect, Layer, Option } from "effect"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../../src/config/AdapterSettings.ts"
import { folderOf } from "../../src/config/Paths.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { notOk, probeChild } from "./Probe.ts"
import { Processes } from "./Process.ts"
import { blank, executeScript } from "./Script.ts"

/** How long the answer of a probe holds (SPEC.md section 6). */
const PROBE_HOLDS = "30 seconds"

const notBuilt = (settings: AdapterSettings): Adapter => {
  const reason = `mode ${settings.mode} is not in this build yet`
  return {
    settings,
    probe: Effect.succeed(notOk({ reason, remedy: "use an adapter of mode script" })),
    execute: () => Effect.succeed({ ...blank, reason: Option.some(reason) })
  }
}

const make = Effect.gen(function* () {
  const runtime = yield* RuntimeConfig
  const processes = yield* Processes
  const host = { ...process.env }
  const startedIn = folderOf(runtime.configPath)
  const adapterOf = (settings: AdapterSettings): Effect.Effect<Adapter> =>
    settings.mode === "script"
      ? Effect.map(Effect.cachedWithTTL(probeChild(settings, host), PROBE_HOLDS), (probe) => ({
          settings,
          probe,
          execute: executeScript({ settings, runtime, host, startedIn, processes })
        }))
      : Effect.succeed(notBuilt(settings))
  const adapters = new Map<string, Adapter>()
  for (const [id, settings] of runtime.adapters) adapters.set(id, yield* adapterOf(settings))
  return { ids: [...adapters.keys()], get: (id: string) => Option.fromNullable(adapters.get(id)) }
})

/** The adapters of the configuration, with this process's environment as the one that children draw on. */
export const layer: Layer.Layer<AdapterRegistry, never, RuntimeConfig | Processes> = Layer.effect(
  AdapterRegistry,
  make
)
