import { type DateTime, Option } from "effect"
import { chainOf } from "../adapter/Select.ts"
import { intendedOf } from "../config/Intended.ts"
import type { Settings } from "../config/RuntimeConfig.ts"
import type { Cooldown } from "../store/Gates.ts"
import type { Lane } from "../store/Tasks.ts"
import { type Charged, type DayOfBudgets, nextDay, type OverBudget, overBudget } from "./Charges.ts"
import { inTheWay, type Occupancy, type WorkspaceInUse } from "./Grounds.ts"

/** Why the tasks of a lane do not start now. Claim and explanation both ask here. */
export type LaneClosed =
  | {
      readonly _tag: "Cooldown"
      readonly adapterId: string
      readonly until: DateTime.Utc
      readonly reason: string
    }
  | { readonly _tag: "AdapterBusy"; readonly adapterId: string; readonly limit: number }
  | { readonly _tag: "OverBudget"; readonly over: OverBudget; readonly until: DateTime.Utc }
  | WorkspaceInUse

/** What eligibility is judged from: rows of the store and the configuration, the same in every process. */
export interface Conditions extends Occupancy {
  readonly settings: Pick<
    Settings,
    "adapters" | "profiles" | "defaultAdapter" | "defaultProfile" | "dispatch" | "budgets"
  >
  readonly cooldowns: ReadonlyArray<Cooldown>
  /** Attempts that run now, by adapter. */
  readonly running: ReadonlyMap<string, number>
  /** The accounts of the day, with what the tasks of the lanes in question would set aside. */
  readonly day: DayOfBudgets
}

/** What decides where a task may run. */
export type Place = Omit<Lane, "key">

/**
 * The adapter that the tasks of a lane wait for: the one that they are meant for or, for untrusted input, the
 * first of its fallbacks that may run it. Where none may, the attempt will say so, and nothing is waited for.
 */
export const leadsTo = (
  lane: Omit<Place, "workflowTemplate">,
  settings: Pick<Settings, "adapters" | "profiles" | "defaultAdapter" | "defaultProfile" | "dispatch">
): string => {
  const requested = { profile: lane.requestedProfile, adapter: lane.requestedAdapter }
  const id = intendedOf(requested, settings)
  if (!lane.untrusted) return id
  const fallbackOf = (one: string) =>
    Option.flatMap(Option.fromNullable(settings.adapters.get(one)), (found) => found.fallbackAdapter)
  return chainOf(id, fallbackOf).find((one) => admitsUntrusted(one, settings)) ?? id
}

/** What an attempt of a lane's tasks is counted under, by the adapter that it waits for. */
export const chargedOf = (lane: Place, settings: Conditions["settings"]): Charged => ({
  adapterId: leadsTo(lane, settings),
  profileId: Option.getOrElse(lane.requestedProfile, () => settings.defaultProfile),
  workflowTemplate: lane.workflowTemplate
})

/** Whether tasks of a lane may start; none when they may. */
export const closed = (lane: Place, conditions: Conditions): Option.Option<LaneClosed> => {
  const adapterId = leadsTo(lane, conditions.settings)
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
  const { day, settings } = conditions
  const over =
    settings.budgets.length === 0
      ? Option.none()
      : overBudget(settings.budgets, chargedOf(lane, settings), day)
  if (Option.isSome(over))
    return Option.some({ _tag: "OverBudget", over: over.value, until: nextDay(day.start) })
  // Last, so that nobody makes room for a lane that would not start anyhow.
  return inTheWay(adapterId, conditions)
}

/** Whether untrusted input may run on an adapter. */
export const admitsUntrusted = (adapterId: string, settings: Pick<Settings, "dispatch">): boolean =>
  Option.match(settings.dispatch.untrustedAdapters, {
    onNone: () => true,
    onSome: (ids) => ids.includes(adapterId)
  })
