import { type DateTime, Option } from "effect"
import { intendedOf } from "../config/Intended.ts"
import type { Settings } from "../config/RuntimeConfig.ts"
import type { Cooldown } from "../store/Gates.ts"
import type { Lane } from "../store/Tasks.ts"

/** Why the tasks of a lane do not start now. Claim and explanation both ask here. */
export type LaneClosed =
  | {
      readonly _tag: "Cooldown"
      readonly adapterId: string
      readonly until: DateTime.Utc
      readonly reason: string
    }
  | { readonly _tag: "AdapterBusy"; readonly adapterId: string; readonly limit: number }

/** What eligibility is judged from: rows of the store and the configuration, the same in every process. */
export interface Conditions {
  readonly settings: Pick<
    Settings,
    "adapters" | "profiles" | "defaultAdapter" | "defaultProfile" | "dispatch"
  >
  readonly cooldowns: ReadonlyArray<Cooldown>
  /** Attempts that run now, by adapter. */
  readonly running: ReadonlyMap<string, number>
}

/** Whether tasks of a lane may start; none when they may. */
export const closed = (
  lane: Pick<Lane, "requestedAdapter" | "requestedProfile">,
  conditions: Conditions
): Option.Option<LaneClosed> => {
  const requested = { profile: lane.requestedProfile, adapter: lane.requestedAdapter }
  const adapterId = intendedOf(requested, conditions.settings)
  const cooldown = conditions.cooldowns.find((one) => one.adapterId === adapterId)
  if (cooldown !== undefined)
    return Option.some({
      _tag: "Cooldown",
      adapterId,
      until: cooldown.until,
      reason: Option.getOrElse(cooldown.reason, () => "it asked to wait")
    })
  const limit = conditions.settings.dispatch.adapterConcurrency.get(adapterId)
  if (limit !== undefined && (conditions.running.get(adapterId) ?? 0) >= limit)
    return Option.some({ _tag: "AdapterBusy", adapterId, limit })
  return Option.none()
}

/** Whether untrusted input may run on an adapter. */
export const admitsUntrusted = (adapterId: string, settings: Pick<Settings, "dispatch">): boolean =>
  Option.match(settings.dispatch.untrustedAdapters, {
    onNone: () => true,
    onSome: (ids) => ids.includes(adapterId)
  })
