import type { DateTime, Effect, Option } from "effect"
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

/** What figures are made of: one attempt of an adapter, from begin to end. */
export interface AttemptFigures {
  readonly adapterId: string
  readonly startedAt: DateTime.Utc
  /** None while it runs. */
  readonly endedAt: Option.Option<DateTime.Utc>
  /** Its verdict was that the work is done. */
  readonly isOk: boolean
  /** 0 where the adapter told none. */
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Tokens and cost, summed as attempts end. */
export interface UsageSums {
  /** From the day of `since` on, newest day first. */
  readonly since: (since: DateTime.Utc) => Effect.Effect<ReadonlyArray<UsageOfDay>, StoreUnavailable>
  /**
   * The attempts of these adapters that began at or after `since`, newest first, at most `most` of each: more than so
   * many are never read, however many there are.
   */
  readonly attempts: (
    adapterIds: ReadonlyArray<string>,
    since: DateTime.Utc,
    most: number
  ) => Effect.Effect<ReadonlyArray<AttemptFigures>, StoreUnavailable>
}
