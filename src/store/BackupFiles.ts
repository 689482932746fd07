import { Context, type DateTime, type Effect, type Option, Schema } from "effect"
import type { StoreUnavailable } from "./StoreError.ts"

/**
 * A backup was not made, not read or not put in place. `code` is the word for machines, `reason` says what and
 * where, `remedy` what to do. Nothing is left under the name that was asked for, and nothing was replaced.
 */
export class BackupFailed extends Schema.TaggedError<BackupFailed>()("BackupFailed", {
  code: Schema.Literal(
    "file_exists",
    "path_refused",
    "file_not_found",
    "backup_invalid",
    "database_in_use",
    "disk_full",
    "disk_failed"
  ),
  reason: Schema.String,
  remedy: Schema.String
}) {}

/** A backup that is whole and on the disk under its name. */
export interface BackupFile {
  /** Absolute. */
  readonly path: string
  readonly bytes: number
  /** Lower-case hex, of the whole file: what `sha256sum` prints. */
  readonly sha256: string
  readonly schemaVersion: number
  readonly tasks: number
}

/** What was found in a file that should be a backup. */
export interface CheckedFile {
  /** Absolute. */
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** None when the file does not tell. */
  readonly schemaVersion: Option.Option<number>
  readonly tasks: Option.Option<number>
  /**
   * Whether the file carries a hash of itself, so that one changed byte is found. Copies made by the runtime
   * before a migration, and those of other programs, do not: of these only the structure is checked.
   */
  readonly sealed: boolean
  /** What is wrong, in sentences; empty when it can be restored. */
  readonly problems: ReadonlyArray<string>
}

/** A database that was put in the place of another. */
export interface Restored {
  readonly backup: BackupFile
  /** The database, absolute, links resolved. */
  readonly path: string
  /** Where the one that was there lies now; none when there was none. */
  readonly kept: Option.Option<string>
}

/** Hears in a sentence how far a long step has come: about once a second, from the first second on. */
export type Tell = (progress: string) => Effect.Effect<void>

/** Backups of the store as files. Relative paths are those of the working directory, `~` is the home folder. */
export class BackupFiles extends Context.Tag("agent-runtime/BackupFiles")<
  BackupFiles,
  {
    /**
     * Copies an open database while others write it: one moment of it, checked against that very moment, with
     * a hash of itself in it. The copy has its name only once it is checked and on the disk (mode 0600).
     */
    readonly copy: (
      database: string,
      to: string,
      at: DateTime.Utc,
      tell: Tell
    ) => Effect.Effect<BackupFile, BackupFailed | StoreUnavailable>
    /** Reads a backup from end to end without changing it; fails only when there is no file to read. */
    readonly check: (file: string, tell: Tell) => Effect.Effect<CheckedFile, BackupFailed>
    /**
     * Puts a checked copy of a backup in the place of a database that nobody has open, and keeps that one
     * beside it under a new name. A death at any point leaves the one or the other, whole. Ids of events that
     * the replaced database has given are not given again.
     */
    readonly restore: (
      from: string,
      database: string,
      at: DateTime.Utc,
      tell: Tell
    ) => Effect.Effect<Restored, BackupFailed>
  }
>() {}
