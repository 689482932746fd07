import { Effect, Fiber, Option, Schema } from "effect"
import { AdapterRegistry, type ProbeResult } from "../adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { remedyFor } from "../config/NearMiss.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { runningByAdapter } from "../dispatch/Conditions.ts"
import { admitsUntrusted } from "../dispatch/Eligibility.ts"
import { AdapterMode, type Attempt, Driver } from "../domain/Attempt.ts"
import { now, Time } from "../domain/Time.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

/** How an adapter's newest attempt ended: since when it is as it is. */
export const LastAttempt = wireStruct({
  attemptId: Schema.String,
  endedAt: nullable(Time),
  exitStatus: nullable(Schema.String),
  reason: nullable(Schema.String)
})

/** The newest attempt of an adapter as a part of its row, where it ever ran. */
export const lastAttempt = (
  found: ReadonlyMap<string, Attempt>,
  adapterId: string
): { readonly lastAttempt?: typeof LastAttempt.Type } => {
  const last = found.get(adapterId)
  if (last === undefined) return {}
  const { attemptId, endedAt, exitStatus, reason } = last
  return { lastAttempt: { attemptId, endedAt, exitStatus, reason } }
}

const Row = wireStruct({
  id: Schema.String,
  mode: AdapterMode,
  driver: nullable(Driver),
  model: nullable(Schema.String),
  workspace: Schema.Literal("exclusive", "shared", "worktree"),
  autonomy: nullable(Schema.Literal("restricted", "trusted-vm")),
  fallback: nullable(Schema.String),
  /** Whether tasks run on it for which nobody names another one. */
  default: Schema.Boolean,
  /** Whether it may run untrusted input. */
  untrusted: Schema.Boolean,
  /** Its most attempts at once; null: as many as the dispatcher runs. */
  concurrency: nullable(Schema.Int),
  running: Schema.Int,
  cooldown: nullable(wireStruct({ until: Time, reason: nullable(Schema.String) })),
  lastAttempt: Schema.optional(LastAttempt),
  // What its probe says; there only when it was asked.
  ok: Schema.optional(Schema.Boolean),
  reason: Schema.optional(Schema.String),
  remedy: Schema.optional(Schema.String),
  warnings: Schema.optional(Schema.Array(Schema.String))
})

/** No probe is waited for longer: an endpoint that does not answer by then is as good as away. */
const PROBE_LIMIT = "8 seconds"
const PROBES_AT_ONCE = 8

const silent: ProbeResult = {
  ok: false,
  reason: "its probe did not end within 8 s",
  remedy:
    "see whether its command starts or its endpoint answers at all; a host under heavy load is slow too",
  warnings: []
}

// A probe's answer is kept for all who ask, so nobody's patience ends the probe itself.
const patiently = (probe: Effect.Effect<ProbeResult>): Effect.Effect<ProbeResult> =>
  Effect.flatMap(Effect.forkDaemon(probe), (asked) =>
    Effect.timeoutTo(Fiber.join(asked), {
      duration: PROBE_LIMIT,
      onSuccess: (found) => found,
      onTimeout: () => silent
    })
  )

/** Every configured adapter with what its probe says, several asked at once, each for 8 s at most. */
export const probed = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  return yield* Effect.forEach(
    registry.ids,
    (id) => {
      const { probe, settings } = Option.getOrThrow(registry.get(id))
      return Effect.map(patiently(probe), (found) => ({ settings, found }))
    },
    { concurrency: PROBES_AT_ONCE }
  )
})

const modelOf = (settings: AdapterSettings): Option.Option<string> => {
  if (settings.mode === "script") return Option.none()
  return settings.mode === "agent-cli" ? settings.model : Option.some(settings.model)
}

const rows = Effect.gen(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const running = yield* runningByAdapter
  const cooldowns = yield* store.gates.cooldowns(yield* now)
  const last = yield* store.attempts.lastOf([...settings.adapters.keys()])
  return [...settings.adapters.values()].map((one): typeof Row.Type => {
    const agent = one.mode === "agent-cli" ? Option.some(one) : Option.none()
    const cooling = Option.fromNullable(cooldowns.find(({ adapterId }) => adapterId === one.id))
    return {
      id: one.id,
      mode: one.mode,
      driver: Option.map(agent, ({ driver }) => driver),
      model: modelOf(one),
      workspace: one.workspace,
      autonomy: Option.map(agent, ({ autonomy }) => autonomy),
      fallback: one.fallbackAdapter,
      default: one.id === settings.defaultAdapter,
      untrusted: admitsUntrusted(one.id, settings),
      concurrency: Option.fromNullable(settings.dispatch.adapterConcurrency.get(one.id)),
      running: running.get(one.id) ?? 0,
      cooldown: Option.map(cooling, ({ reason, until }) => ({ until, reason })),
      ...lastAttempt(last, one.id)
    }
  })
})

/**
 * The configured adapters, from configuration and store; with `probe` also what each one's probe says
 * (`ok, reason, remedy, warnings`).
 */
export const list = operation({
  name: "adapters.list",
  role: "read",
  output: wireStruct({ adapters: Schema.Array(Row) }),
  run: Effect.fn("Adapters.list")(function* (input: { readonly probe: boolean }) {
    const adapters = yield* rows
    if (!input.probe) return { adapters }
    const found = new Map((yield* probed).map((one) => [one.settings.id, one.found]))
    return { adapters: adapters.map((row) => ({ ...row, ...found.get(row.id) })) }
  })
})

const unknown = (id: string, known: ReadonlyArray<string>) =>
  new Refusal({
    code: "adapter_not_found",
    message: `there is no adapter ${id.length > 200 ? `${id.slice(0, 200)}…` : id}`,
    hint: remedyFor(id, known, "adapters") || "agent-runtime adapters lists them",
    exitCode: 1
  })

/**
 * Ends the cool-down of an adapter: its tasks may start at once, those too that ran into its limit. `cleared`
 * is false when it did not cool down.
 */
export const clear = operation({
  name: "adapters.clear",
  role: "operate",
  output: Schema.Struct({ ok: Schema.Boolean, adapter: Schema.String, cleared: Schema.Boolean }),
  run: Effect.fn("Adapters.clear")(function* (input: { readonly id: string }, actor) {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const cleared = yield* store.gates.clearCooldown(input.id, { at: yield* now, actor })
    // One that left the configuration may still cool down.
    if (!cleared && !settings.adapters.has(input.id))
      return yield* unknown(input.id, [...settings.adapters.keys()])
    return { ok: true, adapter: input.id, cleared }
  })
})
