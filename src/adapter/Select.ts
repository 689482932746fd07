import { Effect, Option } from "effect"
import { type Adapter, AdapterRegistry } from "./AdapterRegistry.ts"

/** How many fallbacks are walked at most (SPEC.md section 6). */
const MOST_FALLBACKS = 3

export interface Selected {
  readonly adapter: Adapter
  /** Adapters that failed their probe before this one was taken, with what they said. */
  readonly passedOver: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

/**
 * Walks the fallback chain of an adapter to the first that passes its probe and that `allowed` admits. Where
 * none does the first is tried all the same. None when the id is not configured.
 */
export const select = Effect.fn("Select.select")(function* (id: string, allowed: (id: string) => boolean) {
  const registry = yield* AdapterRegistry
  const first = registry.get(id)
  if (Option.isNone(first)) return Option.none<Selected>()
  const passedOver: Array<{ readonly id: string; readonly reason: string }> = []
  let candidate: Option.Option<Adapter> = first
  for (let step = 0; step <= MOST_FALLBACKS && Option.isSome(candidate); step++) {
    const { settings, probe }: Adapter = candidate.value
    if (allowed(settings.id)) {
      const found = yield* probe
      if (found.ok) return Option.some<Selected>({ adapter: candidate.value, passedOver })
      passedOver.push({ id: settings.id, reason: found.reason })
    } else passedOver.push({ id: settings.id, reason: "it may not run untrusted input" })
    candidate = Option.flatMap(settings.fallbackAdapter, registry.get)
  }
  return Option.some<Selected>({ adapter: first.value, passedOver: [] })
})
