import { type DateTime, Effect, Option } from "effect"
import type { Cooling } from "../adapter/Select.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { TaskId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import type { Ground, InHand } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import { type Charged, dayOfBudgets, overBudget, roomAgainAt } from "./Charges.ts"
import { type Conditions, chargedOf, leadsTo, type Place } from "./Eligibility.ts"
import type { Occupant } from "./Grounds.ts"
import { WaitsForAdapter } from "./NotStarted.ts"

/**
 * How many attempts run by adapter, in whichever process. One that is still being prepared counts for the
 * adapter that its task waited for.
 */
export const runningByAdapter = Effect.gen(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  return counted(yield* store.gates.inHand, settings)
})

/**
 * Ends as WaitsForAdapter where an adapter that runs in place of the one that was meant runs as many attempts as it may
 * at once; of the one that was meant the claim has judged. To be asked in the transaction that records who runs it.
 */
export const roomBeside = (taskId: TaskId, adapterId: string) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const limit = settings.dispatch.adapterConcurrency.get(adapterId)
    if (limit === undefined) return
    const inHand = yield* (yield* Store).gates.inHand
    const own = inHand.find((one) => one.taskId === taskId)
    if (own !== undefined && leadsTo(own, settings) === adapterId) return
    const others = counted(
      inHand.filter((one) => one !== own),
      settings
    )
    if ((others.get(adapterId) ?? 0) >= limit) return yield* new WaitsForAdapter({ adapterId, limit })
  })

const adapterOf = (one: InHand, settings: Conditions["settings"]): string =>
  Option.getOrElse(one.adapterId, () => leadsTo(one, settings))

const counted = (inHand: ReadonlyArray<InHand>, settings: Conditions["settings"]) => {
  const counts = new Map<string, number>()
  for (const one of inHand) {
    const id = adapterOf(one, settings)
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

/** Who works where, by what each attempt recorded of itself: the configuration may have changed since. */
const occupantsOf = (inHand: ReadonlyArray<InHand>, settings: Conditions["settings"]) =>
  inHand.flatMap((one): ReadonlyArray<Occupant> => {
    const { since, taskId } = one
    const adapterId = adapterOf(one, settings)
    return Option.toArray(Option.map(one.ground, (ground) => ({ taskId, adapterId, ground, since })))
  })

/**
 * What the eligibility of some lanes is judged from at a time, `grounds` having been looked at before the
 * transaction. Running attempts are counted only where a limit asks for them, accounts are read only where there
 * are budgets.
 */
export const conditionsAt = (
  at: DateTime.Utc,
  lanes: ReadonlyArray<Place>,
  grounds: ReadonlyMap<string, Ground>
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const inHand = yield* store.gates.inHand
    return {
      settings,
      cooldowns: yield* store.gates.cooldowns(at),
      running:
        settings.dispatch.adapterConcurrency.size > 0 ? counted(inHand, settings) : new Map<string, number>(),
      day: yield* dayOfBudgets(
        at,
        settings.budgets,
        settings.budgets.length === 0 ? [] : lanes.map((lane) => chargedOf(lane, settings))
      ),
      grounds,
      occupants: occupantsOf(inHand, settings)
    } satisfies Conditions
  })

/** Which adapters have no room in a budget of their own today; none where they have. */
export const overBudgetNow = Effect.gen(function* () {
  const { adapters, budgets } = yield* RuntimeConfig
  const own = budgets.filter(({ per }) => per === "adapter")
  const charged = (adapterId: string): Charged => ({
    adapterId,
    profileId: "",
    workflowTemplate: Option.none()
  })
  const day = yield* dayOfBudgets(yield* now, own, [...adapters.keys()].map(charged))
  return (id: string) => overBudget(own, charged(id), day)
})

/**
 * Which adapters cool down now, for `select`. One whose budget of the day has no room is none to fall back to
 * either, until it may have room again.
 */
export const coolingNow = Effect.gen(function* () {
  const store = yield* Store
  const at = yield* now
  const cooldowns = yield* store.gates.cooldowns(at)
  const over = yield* overBudgetNow
  const cooling: Cooling = (id) =>
    Option.orElse(
      Option.map(Option.fromNullable(cooldowns.find((one) => one.adapterId === id)), ({ until }) => until),
      () => Option.map(over(id), (one) => roomAgainAt(one, at))
    )
  return cooling
})
