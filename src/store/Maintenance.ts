import type { DateTime, Effect, Option } from "effect"
import type { BackupFile } from "./BackupFiles.ts"
import type { Pruning } from "./Pruning.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface StoreHealth {
  readonly path: string
  readonly schemaVersion: number
  readonly journalMode: string
  readonly sizeBytes: number
  readonly walBytes: number
  /** When the newest backup that is on record was found whole; none when there is none. */
  readonly backedUpAt: Option.Option<DateTime.Utc>
  /** Problems in sentences; empty when all is well. */
  readonly problems: ReadonlyArray<string>
}

export interface Maintenance {
  /** Header, schema version and WAL size; `deep` adds SQLite's quick check, which reads the whole file. */
  readonly health: (deep: boolean) => Effect.Effect<StoreHealth, StoreUnavailable>
  /**
   * StoreUnavailable once the path of the store leads to another file than the one that is open, or to none. Every
   * write looks for itself.
   */
  readonly here: Effect.Effect<void, StoreUnavailable>
  /**
   * Waits until that is so and what was recorded is saved in a copy beside the path, then fails with what happened and
   * where the copy is. What has the store open for long ends with it.
   */
  readonly lost: Effect.Effect<never, StoreUnavailable>
  /** Remembers a backup that was found whole at `at`. */
  readonly recordBackup: (backup: BackupFile, at: DateTime.Utc) => Effect.Effect<void, StoreUnavailable>
  /** Removes what is older than its retention. */
  readonly prune: Pruning
}
