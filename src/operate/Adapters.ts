import { Effect, Fiber, Option } from "effect"
import { AdapterRegistry, type ProbeResult } from "../adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { remedyFor } from "../config/NearMiss.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { runningByAdapter } from "../dispatch/Conditions.ts"
import { admitsUntrusted } from "../dispatch/Eligibility.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { AdapterList, type AdapterRow, ClearedAdapter, type LastAttempt } from "./answers/Adapters.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

/** The newest attempt of an adapter as a part of its row, where it ever ran. */
export const lastAttempt = (
  found: ReadonlyMap<string, Attempt>,
  adapterId: string
): { readonly lastAttempt?: LastAttempt } => {
  const last = found.get(adapterId)
  if (last === undefined) return {}
  const { attemptId, endedAt, exitStatus, reason } = last
  return { lastAttempt: { attemptId, endedAt, exitStatus, reason } }
}

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

/** All that a probe found wrong, each with what mends it, in one line; none when it passed. */
export const problemsOf = (found: ProbeResult): ReadonlyArray<string> =>
  found.ok
    ? []
    : [found, ...(found.others ?? [])].map(({ reason, remedy }) =>
        remedy === "" ? reason : `${reason}; ${remedy}`
      )

const said = (found: ProbeResult) => {
  const { ok, reason, remedy, warnings } = found
  return { ok, reason, remedy, problems: problemsOf(found), warnings }
}

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
  return [...settings.adapters.values()].map((one): AdapterRow => {
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
 * (`ok, reason, remedy, problems, warnings`).
 */
export const list = operation({
  name: "adapters.list",
  role: "read",
  output: AdapterList,
  run: traced("Adapters.list")(function* (input: { readonly probe: boolean }) {
    const adapters = yield* rows
    if (!input.probe) return { adapters }
    const found = new Map((yield* probed).map((one) => [one.settings.id, said(one.found)]))
    return { adapters: adapters.map((row) => ({ ...row, ...found.get(row.id) })) }
  })
})

const unknown = (id: string, known: ReadonlyArray<string>) =>
  new Refusal({
    code: "adapter_not_found",
    message: `there is no adapter ${abridged(id)}`,
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
  output: ClearedAdapter,
  run: traced("Adapters.clear")(function* (input: { readonly id: string }, actor) {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const cleared = yield* store.gates.clearCooldown(input.id, { at: yield* now, actor })
    // One that left the configuration may still cool down.
    if (!cleared && !settings.adapters.has(input.id))
      return yield* unknown(input.id, [...settings.adapters.keys()])
    return { ok: true, adapter: input.id, cleared }
  })
})
