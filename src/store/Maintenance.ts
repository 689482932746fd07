import type { Effect } from "effect"
import type { StoreUnavailable } from "./StoreError.ts"

export interface StoreHealth {
  readonly path: string
  readonly schemaVersion: number
  readonly journalMode: string
  readonly sizeBytes: number
  readonly walBytes: number
  /** Problems in sentences; empty when all is well. */
  readonly problems: ReadonlyArray<string>
}

export interface Maintenance {
  /** Header, schema version and WAL size; `deep` adds SQLite's quick check, which reads the whole file. */
  readonly health: (deep: boolean) => Effect.Effect<StoreHealth, StoreUnavailable>
}
