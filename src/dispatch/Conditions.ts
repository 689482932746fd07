import { type DateTime, Effect, Option } from "effect"
import type { Cooling } from "../adapter/Select.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"
import { type Conditions, leadsTo } from "./Eligibility.ts"

/**
 * How many attempts run by adapter, in whichever process. One that is still being prepared counts for the
 * adapter that its task waited for.
 */
export const runningByAdapter = Effect.gen(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const counts = new Map<string, number>()
  for (const one of yield* store.gates.inHand) {
    const id = Option.getOrElse(one.adapterId, () => leadsTo(one, settings))
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
})

/** What eligibility is judged from at a time. Running attempts are counted only where a limit asks for them. */
export const conditionsAt = (at: DateTime.Utc) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const limited = settings.dispatch.adapterConcurrency.size > 0
    return {
      settings,
      cooldowns: yield* store.gates.cooldowns(at),
      running: limited ? yield* runningByAdapter : new Map<string, number>()
    } satisfies Conditions
  })

/** Which adapters cool down now, for `select`. */
export const coolingNow = Effect.gen(function* () {
  const store = yield* Store
  const cooldowns = yield* store.gates.cooldowns(yield* now)
  const cooling: Cooling = (id) =>
    Option.map(Option.fromNullable(cooldowns.find((one) => one.adapterId === id)), ({ until }) => until)
  return cooling
})
