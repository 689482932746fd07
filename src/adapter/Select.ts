import { Array as Arr, DateTime, Effect, Option } from "effect"
import { traced } from "../domain/Traced.ts"
import { type Adapter, AdapterRegistry } from "./AdapterRegistry.ts"

/** How many fallbacks are walked at most (SPEC.md section 6). */
const MOST_FALLBACKS = 3

export interface Selected {
  readonly adapter: Adapter
  /** Adapters that were not taken before this one was, with the reason. */
  readonly passedOver: ReadonlyArray<{ readonly id: string; readonly reason: string }>
  /** When a better one is to be had: `adapter` fails its probe, and one behind it does nothing but cool down. */
  readonly better: Option.Option<{ readonly id: string; readonly from: DateTime.Utc }>
}

/** The ids that may run in place of one another: an adapter's own, then at most three fallbacks in order. */
export const chainOf = (
  id: string,
  fallbackOf: (id: string) => Option.Option<string>
): ReadonlyArray<string> => {
  const chain = [id]
  while (chain.length <= MOST_FALLBACKS) {
    const next = fallbackOf(chain[chain.length - 1]!)
    if (Option.isNone(next)) break
    chain.push(next.value)
  }
  return chain
}

/** Until when an adapter cools down; none while it does not. */
export type Cooling = (id: string) => Option.Option<DateTime.Utc>

const noneCools: Cooling = () => Option.none()

/**
 * Walks the fallback chain of an adapter to the first that `allowed` admits, that does not cool down and that
 * passes its probe. Where none does, the first that is allowed is to be tried all the same, unless `better` says
 * that one is worth waiting for; where none is allowed the first is answered, for the caller to refuse. None when the id is not configured. The claim has seen
 * whether the adapter that is meant cools down: of that one it is not asked again.
 */
export const select = traced("Select.select")(function* (
  id: string,
  allowed: (id: string) => boolean,
  cooling: Cooling = noneCools
) {
  const registry = yield* AdapterRegistry
  const ids = chainOf(id, (one) =>
    Option.flatMap(registry.get(one), ({ settings }) => settings.fallbackAdapter)
  )
  const chain = Arr.filterMap(ids, registry.get)
  const [first] = chain
  if (first === undefined || first.settings.id !== id) return Option.none<Selected>()
  const meant = chain.findIndex(({ settings }) => allowed(settings.id))
  const passedOver: Array<{ readonly id: string; readonly reason: string }> = []
  const cooled: Array<{ readonly id: string; readonly from: DateTime.Utc }> = []
  for (const [at, adapter] of chain.entries()) {
    const reason = yield* unfitness(adapter, allowed, at === meant ? noneCools : cooling)
    if (Option.isNone(reason)) return Option.some<Selected>({ adapter, passedOver, better: Option.none() })
    const { id } = adapter.settings
    passedOver.push({ id, reason: reason.value })
    const until = at === meant || !allowed(id) ? Option.none() : cooling(id)
    if (Option.isSome(until)) cooled.push({ id, from: until.value })
  }
  const tried = Math.max(meant, 0)
  const [soonest] = cooled.sort((a, b) => DateTime.Order(a.from, b.from))
  return Option.some<Selected>({
    adapter: chain[tried] ?? first,
    passedOver: passedOver.slice(0, tried),
    better: Option.fromNullable(soonest)
  })
})

/** Why an adapter is passed over; none when it is taken. */
const unfitness = ({ probe, settings }: Adapter, allowed: (id: string) => boolean, cooling: Cooling) =>
  Effect.gen(function* () {
    if (!allowed(settings.id)) return Option.some("it may not run untrusted input")
    const until = cooling(settings.id)
    if (Option.isSome(until)) return Option.some(`it cools down until ${DateTime.formatIso(until.value)}`)
    const found = yield* probe
    return found.ok ? Option.none<string>() : Option.some(found.reason)
  })
