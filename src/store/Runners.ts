import type { Effect } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { RunnerId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface RunnerRecord {
  readonly runnerId: RunnerId
  readonly host: string
  readonly pid: number
  readonly mode: "run-once" | "dispatch"
  readonly lockPath: string
  readonly limits: JsonObject
}

/** Who dispatches. */
export interface Runners {
  readonly begin: (runner: RunnerRecord, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  readonly end: (id: RunnerId, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** Closes the rows of runners that died without saying so: every open one of a lock but `mine`. */
  readonly endOthers: (
    mine: RunnerId,
    lockPath: string,
    stamp: Stamp
  ) => Effect.Effect<number, StoreUnavailable>
}
