import { Array as Arr, DateTime, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { durationOf } from "../domain/Attempt.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import type { AttemptFigures } from "../store/Usage.ts"
import { type AttemptSums, AttemptUsage } from "./answers/Usage.ts"
import { operation } from "./Operation.ts"

/** Attempts of an adapter that are read at most, the newest ones; with more the answer says `partial`. */
export const MOST_READ = 5_000

/** Hours that are told, the present one among them. */
const HOURS = 24

const hourOf = (at: DateTime.Utc): DateTime.Utc => DateTime.startOf(at, "hour")

/** The value below which a share of the sorted values lies; none of none. */
const quantile = (sorted: ReadonlyArray<number>, share: number): Option.Option<number> =>
  Arr.get(sorted, Math.max(0, Math.ceil(share * sorted.length) - 1))

/** What attempts came to together. */
export const sumsOf = (attempts: ReadonlyArray<AttemptFigures>): AttemptSums => {
  const took = attempts.flatMap((one) => Option.toArray(durationOf(one))).sort((a, b) => a - b)
  const sum = (of: (one: AttemptFigures) => number) => attempts.reduce((all, one) => all + of(one), 0)
  return {
    attempts: attempts.length,
    running: attempts.length - took.length,
    ok: attempts.filter(({ isOk }) => isOk).length,
    medianMs: quantile(took, 0.5),
    p95Ms: quantile(took, 0.95),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens)
  }
}

/** The same, and hour by hour of their begin. */
const dayOf = (attempts: ReadonlyArray<AttemptFigures>, partial: boolean) => {
  const hours = Map.groupBy(attempts, ({ startedAt }) => DateTime.toEpochMillis(hourOf(startedAt)))
  return {
    ...sumsOf(attempts),
    partial,
    hours: [...hours]
      .sort(([a], [b]) => a - b)
      .map(([hour, within]) => ({ hour: DateTime.unsafeMake(hour), ...sumsOf(within) }))
  }
}

/**
 * How the attempts of the last 24 hours went, hour by hour, of each adapter that is configured or has used something
 * lately: at most the newest 5,000 attempts of each are read, so that it costs the same however many there are.
 */
export const attemptUsage = operation({
  name: "usage.attempts",
  role: "read",
  output: AttemptUsage,
  run: traced("AttemptUsage.attemptUsage")(function* (_: object) {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const since = DateTime.subtract(hourOf(yield* now), { hours: HOURS - 1 })
    const used = yield* store.usage.since(since)
    const ids = Arr.dedupe([...settings.adapters.keys(), ...used.map(({ adapterId }) => adapterId)])
    const found = yield* store.usage.attempts(ids, since, MOST_READ)
    const byAdapter = Map.groupBy(found, ({ adapterId }) => adapterId)
    const adapters = ids.map((adapterId) => {
      const own = byAdapter.get(adapterId) ?? []
      return { adapterId, ...dayOf(own, own.length >= MOST_READ) }
    })
    return {
      since,
      all: dayOf(
        found,
        adapters.some(({ partial }) => partial)
      ),
      adapters
    }
  })
})
