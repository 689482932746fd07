import { Context, type DateTime, type Effect, type Stream } from "effect"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { AuditFailed } from "./AuditFolder.ts"

/** The folder of an attempt below `adapter-runs`, by the ids that its name stands for. */
export interface AttemptFolder {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
}

/** A file below `bundles`, by the bundle that its name stands for. */
export interface BundleFile {
  readonly bundleId: string
  /** Relative to the artifact root. */
  readonly path: string
}

/** What was removed, or would be: folders and files that were named, and the bytes of all files in them. */
export interface Removed {
  readonly entries: number
  readonly bytes: number
  /** Where it lies, absolute, when it is there and was left for being older than `since`. */
  readonly older?: string
}

/**
 * With `dryRun` nothing is removed, only counted. What was touched at or after `before` is left alone, and so is an
 * attempt, a task or a bundle that was made before `since`, by the time in its id or by that of its last change.
 */
export interface Removal {
  readonly dryRun: boolean
  readonly before?: DateTime.Utc
  readonly since?: DateTime.Utc
}

/**
 * Removing of evidence: folders of attempts and files of bundles. What agents produced elsewhere below the
 * artifact root is never touched. An agent may have put links and deep folders into its evidence: nothing that
 * a link leads to is touched. What is not there counts nothing.
 */
export class EvidenceFiles extends Context.Tag("agent-runtime/EvidenceFiles")<
  EvidenceFiles,
  {
    readonly removeAttempt: (folder: AttemptFolder, removal: Removal) => Effect.Effect<Removed, AuditFailed>
    /** Only plain files in `bundles/<day>/`; another path counts nothing. */
    readonly removeBundle: (path: string, removal: Removal) => Effect.Effect<Removed, AuditFailed>
    /** The folder of a task when it is empty. */
    readonly removeTask: (taskId: TaskId, removal: Removal) => Effect.Effect<Removed, AuditFailed>
    /** Has the artifact root tell that this database keeps its evidence there. Where that cannot be written nothing happens. */
    readonly noteDatabase: Effect.Effect<void>
    /** In words, where other databases lie that keep their evidence in the same artifact root. */
    readonly otherDatabases: Effect.Effect<ReadonlyArray<string>, AuditFailed>
    /** All folders of attempts, in pieces of at most 500. */
    readonly attempts: Stream.Stream<ReadonlyArray<AttemptFolder>, AuditFailed>
    /** All folders of tasks, in pieces of at most 500. */
    readonly tasks: Stream.Stream<ReadonlyArray<TaskId>, AuditFailed>
    /** All files of bundles, in pieces of at most 500. */
    readonly bundles: Stream.Stream<ReadonlyArray<BundleFile>, AuditFailed>
    /** Files that a dying process left half written: of bundles, of snapshots, beside the database. */
    readonly removeUnfinished: (removal: Removal) => Effect.Effect<Removed, AuditFailed>
  }
>() {}
