import type { DateTime, Effect } from "effect"
import type { StoreUnavailable } from "./StoreError.ts"

/** What one adapter used on one day (UTC), over all profiles and models. */
export interface UsageOfDay {
  /** `2026-04-29` */
  readonly day: string
  readonly adapterId: string
  readonly attempts: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly costUsd: number
}

/** Tokens and cost, summed as attempts end. */
export interface UsageSums {
  /** From the day of `since` on, newest day first. */
  readonly since: (since: DateTime.Utc) => Effect.Effect<ReadonlyArray<UsageOfDay>, StoreUnavailable>
}
