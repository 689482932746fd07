import { type DateTime, Effect, Fiber, Option } from "effect"
import { select } from "../adapter/Select.ts"
import { intendedOf } from "../config/Intended.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { saying } from "../dispatch/Charges.ts"
import { coolingNow, overBudgetNow } from "../dispatch/Conditions.ts"
import { admitsUntrusted } from "../dispatch/Eligibility.ts"
import type { Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"

/** What the probes say of the adapter that a task would run on now. */
export type ProbeWarning =
  | { readonly _tag: "Fails"; readonly adapterId: string; readonly reason: string }
  /** It fails, and the fallback that is worth waiting for cools down, or has no room in a budget, as `spent` says. */
  | {
      readonly _tag: "Waits"
      readonly adapterId: string
      readonly fallbackId: string
      readonly spent: Option.Option<string>
      readonly until: DateTime.Utc
    }

/** A question must not wait for an endpoint that does not answer: what is not known by then is not told. */
const PATIENCE = "1 second"

/**
 * Whether the adapter that a task would run on fails its probe, no fallback of it passing: chosen as an attempt
 * chooses, by probes whose answers are kept for 30 s. None when all is well, or nobody knows within a second.
 */
export const probeWarning = traced("ProbeWarning.probeWarning")(function* (
  task: Pick<Task, "requestedAdapter" | "requestedProfile" | "untrusted">
) {
  const asked = yield* Effect.forkDaemon(warning(task))
  return Option.flatten(yield* Effect.timeoutOption(Fiber.join(asked), PATIENCE))
})

const warning = (task: Pick<Task, "requestedAdapter" | "requestedProfile" | "untrusted">) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const id = intendedOf({ profile: task.requestedProfile, adapter: task.requestedAdapter }, settings)
    const allowed = (one: string) => !task.untrusted || admitsUntrusted(one, settings)
    const selected = yield* select(id, allowed, yield* coolingNow)
    if (Option.isNone(selected)) return Option.none<ProbeWarning>()
    const { adapter, better } = selected.value
    const adapterId = adapter.settings.id
    if (!allowed(adapterId)) return Option.none<ProbeWarning>()
    const { ok, reason, remedy } = yield* adapter.probe
    if (ok) return Option.none<ProbeWarning>()
    if (Option.isSome(better)) {
      const { from, id: fallbackId } = better.value
      const spent = Option.map((yield* overBudgetNow)(fallbackId), saying)
      return Option.some<ProbeWarning>({ _tag: "Waits", adapterId, fallbackId, spent, until: from })
    }
    const why = [reason, remedy].filter((one) => one !== "").join("; ")
    return Option.some<ProbeWarning>({ _tag: "Fails", adapterId, reason: why })
  })
