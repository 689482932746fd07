import { Effect, Layer, Option } from "effect"
import { type Adapter, AdapterRegistry, type Execution, type Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings, ScriptSettings } from "../../src/config/AdapterSettings.ts"
import { blank } from "./Script.ts"

/** What a scripted adapter does with a job; what it leaves out is as after a quiet success. */
export type Scripted = (job: Job) => Effect.Effect<Partial<Execution>>

/** Plain settings of a script adapter, for tests: a minute's timeout, nothing inherited. */
export const scriptSettings = (id: string, changes: Partial<ScriptSettings> = {}): ScriptSettings => ({
  id,
  mode: "script",
  timeoutMs: 60_000,
  noOutputTimeoutMs: Option.none(),
  workspace: "shared",
  fallbackAdapter: Option.none(),
  retryHintService: Option.none(),
  retry: { maxAttempts: Option.none(), backoffSeconds: Option.none(), maxBackoffSeconds: Option.none() },
  command: { given: "true", path: "true" },
  extraArgs: [],
  env: {},
  inheritEnv: [],
  envFile: Option.none(),
  workingDir: Option.none(),
  untrustedArgs: false,
  ...changes
})

const adapter = (settings: AdapterSettings, act: Scripted): Adapter => ({
  settings,
  probe: Effect.succeed({ ok: true, reason: "", remedy: "", warnings: [] }),
  execute: (job) =>
    Effect.map(act(job), (said) => ({ ...blank, exitStatus: "ok", retryClass: "none", ...said }))
})

/**
 * An AdapterRegistry whose adapters do what they are told, in memory, for tests. `settings` replaces what
 * an adapter is configured as (by default a plain script of that id).
 */
export const layer = (
  acts: Readonly<Record<string, Scripted>>,
  settings: Readonly<Record<string, AdapterSettings>> = {}
): Layer.Layer<AdapterRegistry> => {
  const adapters = new Map(
    Object.entries(acts).map(([id, act]) => [id, adapter(settings[id] ?? scriptSettings(id), act)])
  )
  return Layer.succeed(AdapterRegistry, {
    ids: [...adapters.keys()],
    get: (id) => Option.fromNullable(adapters.get(id))
  })
}
