import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { RunnerId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface RunnerRecord {
  readonly runnerId: RunnerId
  readonly host: string
  readonly pid: number
  /** What tells its process from every other one that has or had its pid; none where the kernel does not tell. */
  readonly processMark: Option.Option<string>
  readonly mode: "run-once" | "dispatch"
  readonly lockPath: string
  readonly limits: JsonObject
}

/** A runner that has not said its end: it lives, or died without a word. */
export type OpenRunner = Omit<RunnerRecord, "limits">

/** A runner on record, as others judge by it what it will take. */
export interface RunnerState {
  readonly mode: RunnerRecord["mode"]
  /** How many attempts it runs at once; none where its record does not tell. */
  readonly concurrency: Option.Option<number>
  /** Since when it claims nothing more and waits for what runs; none while it does not. */
  readonly drainingSince: Option.Option<DateTime.Utc>
}

/** Who dispatches. */
export interface Runners {
  readonly begin: (runner: RunnerRecord, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** None when there is no such runner, or it has ended. */
  readonly find: (id: RunnerId) => Effect.Effect<Option.Option<RunnerState>, StoreUnavailable>
  /** Remembers that a runner claims nothing more; a second call changes nothing. */
  readonly drains: (id: RunnerId, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  readonly end: (id: RunnerId, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** Those whose rows are open. */
  readonly open: Effect.Effect<ReadonlyArray<OpenRunner>, StoreUnavailable>
  /** Closes the rows of runners that died without saying so; answers how many were open. */
  readonly endDead: (ids: ReadonlyArray<RunnerId>, stamp: Stamp) => Effect.Effect<number, StoreUnavailable>
}
