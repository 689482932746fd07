import type { Effect } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AdoptedTable, OriginalDatabase } from "./Original.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** Of one table: rows in the source, rows added now, and rows that were here before. */
export interface AdoptedCount {
  readonly found: number
  readonly adopted: number
  readonly present: number
}

export interface Adopted {
  readonly counts: Readonly<Record<AdoptedTable, AdoptedCount>>
  /** Records that were damaged: tasks set aside as blocked, schedules disabled, workflows stalled. */
  readonly setAside: number
  /** Tasks that were running without an attempt, put back and due at once. */
  readonly reclaimed: number
  /** What could not be taken over as it was, in sentences, at most 100; the rest is counted in the last one. */
  readonly remarks: ReadonlyArray<string>
}

export interface Adoption {
  /**
   * Adds what of another database is not here yet, in one transaction: a death at any point leaves nothing of
   * it. Ids, times, outcomes and keys stay; what has no place here is kept word for word in `adopted_rows`.
   * Attempts that were running stay so, for the sweep to end.
   */
  readonly take: (original: OriginalDatabase, stamp: Stamp) => Effect.Effect<Adopted, StoreUnavailable>
}
