import type { DateTime, Effect, Option } from "effect"
import type { AttemptId, EventId, TaskId } from "../domain/Ids.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** How far a walk through a table has come; made by the store, none begins. */
export type Place = Option.Option<readonly [string, string]>

/** An attempt whose evidence on disk nothing names any more. */
export interface OldAttempt {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
}

/** A batch of what was removed, or of what would be. */
export interface Batch {
  readonly tasks: number
  readonly attempts: number
  readonly bundles: number
  /** Files of bundles, relative to the artifact root, as their rows named them. */
  readonly bundlePaths: ReadonlyArray<string>
  /** Attempts with their evidence. */
  readonly evidence: ReadonlyArray<OldAttempt>
  /** Where to go on; none at the end. */
  readonly next: Place
}

/** Which tasks to look at. */
export interface TasksWanted {
  readonly finishedBefore: DateTime.Utc
  /** Attempts that are still needed, whatever their age: their tasks stay. */
  readonly held: ReadonlyArray<AttemptId>
}

/** Which attempts to look at: those that ended before `endedBefore`. */
export interface EvidenceWanted {
  readonly endedBefore: DateTime.Utc
  /** Tasks that finished before are removed as a whole: a dry run passes their attempts over. */
  readonly finishedBefore: Option.Option<DateTime.Utc>
  /** Attempts whose evidence stays, whatever its age. */
  readonly held: ReadonlyArray<AttemptId>
}

/**
 * Removes old records in small batches, a transaction each, so that others write between them. With `dryRun`
 * nothing is changed. Rows go before the files that they name: a death in between leaves litter.
 */
export interface Pruning {
  /**
   * Tasks that ended before a time, with their attempts, bundles, acknowledged messages and answered questions;
   * at most 100 are looked at, the newest first. Those that something else needs stay: a task below it that
   * stays, a schedule that made it last, a workflow that goes on, a message that nobody has acknowledged, a
   * replay of it that has not ended, an attempt that is held.
   */
  readonly tasks: (
    wanted: TasksWanted,
    after: Place,
    dryRun: boolean
  ) => Effect.Effect<Batch, StoreUnavailable>
  /** Paths and bundles of ended attempts of ended tasks; at most 500 are looked at. The attempts stay. */
  readonly evidence: (
    wanted: EvidenceWanted,
    after: Place,
    dryRun: boolean
  ) => Effect.Effect<Batch, StoreUnavailable>
  /** Events from the old end up to the first that is not older, at most 500; answers how many, and the last. */
  readonly events: (
    createdBefore: DateTime.Utc,
    after: EventId,
    dryRun: boolean
  ) => Effect.Effect<{ readonly count: number; readonly last: Option.Option<EventId> }, StoreUnavailable>
  /**
   * Runners that ended before a time and have no attempt that runs, or fates of due times that were told before it, but
   * the last one of each schedule; at most 500 are looked at. Answers how many those are.
   */
  readonly past: (
    table: "runners" | "schedule_fates",
    before: DateTime.Utc,
    after: Place,
    dryRun: boolean
  ) => Effect.Effect<{ readonly count: number; readonly next: Place }, StoreUnavailable>
  /**
   * Since when this database stands in its place, at the earliest: what was made before may be on record in another
   * one. That is since it was made, or since `restore` put it there. Where a backup was put there by other means nobody
   * knows when: then it is `at`, which is remembered but by a dry run.
   */
  readonly since: (at: DateTime.Utc, dryRun: boolean) => Effect.Effect<DateTime.Utc, StoreUnavailable>
  /** Which of these attempts, tasks or bundles are on record. */
  readonly known: (
    table: "attempts" | "tasks" | "bundles",
    ids: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlySet<string>, StoreUnavailable>
}
