import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { Attempt } from "../domain/Attempt.ts"
import type { BundleRecord } from "../domain/Bundle.ts"
import type { AttemptId, BundleId, RunnerId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Ground } from "./Gates.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** A running attempt of a dispatcher, with the child that it started last. */
export interface OpenAttempt {
  readonly attemptId: AttemptId
  readonly taskId: TaskId
  readonly runnerId: RunnerId
  readonly host: string
  /** The dispatch lock of its runner; none when the runner is not on record. */
  readonly lockPath: Option.Option<string>
  readonly childPid: Option.Option<number>
  readonly childStartTime: Option.Option<string>
}

/** Where an attempt's evidence lies, relative to the artifact root. */
export interface EvidencePaths {
  readonly promptPath: string
  readonly stdoutPath: string
  readonly stderrPath: string
  readonly resultPath: string
}

/** `InUse`: another attempt works there, and one of the two wants to be alone. Nothing was changed. */
export type Occupied =
  | { readonly _tag: "Occupied" }
  | {
      readonly _tag: "InUse"
      readonly taskId: TaskId
      /** None while it is still being prepared. */
      readonly adapterId: Option.Option<string>
      readonly since: DateTime.Utc
    }

export interface Attempts {
  /** None when there is no such attempt. */
  readonly find: (id: AttemptId) => Effect.Effect<Option.Option<Attempt>, StoreUnavailable>
  /** Ids that begin with a text, at most `limit`. */
  readonly startingWith: (
    prefix: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<AttemptId>, StoreUnavailable>
  /** The last attempt of each of these tasks that has one. */
  readonly lastOfTasks: (
    ids: ReadonlyArray<TaskId>
  ) => Effect.Effect<ReadonlyMap<TaskId, Attempt>, StoreUnavailable>
  /** Of one task, first to last, at most the newest 1,000. */
  readonly ofTask: (id: TaskId) => Effect.Effect<ReadonlyArray<Attempt>, StoreUnavailable>
  /**
   * Attempts that were begun at or after `since` and before `until`, newest first, at most `limit`, with what their
   * task is.
   */
  readonly begun: (
    since: DateTime.Utc,
    until: Option.Option<DateTime.Utc>,
    limit: number
  ) => Effect.Effect<
    ReadonlyArray<{
      readonly attempt: Attempt
      readonly kind: string
      readonly subject: Option.Option<string>
    }>,
    StoreUnavailable
  >
  /** The newest attempts of adapters that have ended, by adapter; one that never ran has none. */
  readonly lastOf: (
    adapterIds: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, Attempt>, StoreUnavailable>
  /** What a session had cost by the end of its last attempt; none where none is on record. */
  readonly sessionCost: (sessionId: string) => Effect.Effect<Option.Option<number>, StoreUnavailable>
  /** Attempts that are open, of every runner but `mine`. */
  readonly openOfOthers: (mine: RunnerId) => Effect.Effect<ReadonlyArray<OpenAttempt>, StoreUnavailable>
  /** The open attempt of a running task. */
  readonly openOf: (id: TaskId) => Effect.Effect<Option.Option<OpenAttempt>, StoreUnavailable>
  /**
   * Records the compiled bundle and what will run it; false when the attempt is no longer running. `told` is
   * what the event tells beside the bundle.
   */
  readonly compiled: (
    bundle: BundleRecord,
    evidence: EvidencePaths,
    stamp: Stamp,
    told?: JsonObject
  ) => Effect.Effect<boolean, StoreUnavailable>
  /** Records that the adapter starts; false when the attempt is no longer running. */
  readonly started: (
    id: AttemptId,
    detail: { readonly adapterId: string; readonly profileId: string },
    stamp: Stamp
  ) => Effect.Effect<boolean, StoreUnavailable>
  /**
   * Records where a running attempt works from now on, in place of what its claim recorded, unless that folder is
   * in use. None gives its folder up.
   */
  readonly occupy: (id: AttemptId, ground: Option.Option<Ground>) => Effect.Effect<Occupied, StoreUnavailable>
  /** Remembers the child that runs now, for the sweep of a dispatcher that died. */
  readonly childStarted: (
    id: AttemptId,
    child: { readonly pid: number; readonly startTime: string }
  ) => Effect.Effect<void, StoreUnavailable>
  /** None when there is no such bundle. */
  readonly bundle: (id: BundleId) => Effect.Effect<Option.Option<BundleRecord>, StoreUnavailable>
}
