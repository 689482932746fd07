import type { DateTime, Effect, Option } from "effect"
import type { Actor, Stamp } from "../domain/Actor.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { StoreUnavailable } from "./StoreError.ts"
import type { Lane } from "./Tasks.ts"

export interface Pause {
  readonly reason: Option.Option<string>
  readonly since: DateTime.Utc
  readonly actor: Actor
}

export interface Cooldown {
  readonly adapterId: string
  readonly reason: Option.Option<string>
  readonly until: DateTime.Utc
}

/** The attempt whose end made its adapter cool down. */
export interface CooldownCause {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
}

/** The folder that an attempt works in, its symlinks resolved, and whom it lets in beside it. */
export interface Ground {
  readonly dir: string
  readonly workspace: "exclusive" | "shared" | "worktree"
}

/** An attempt that runs, in whichever process. `adapterId` is none while it is still being prepared. */
export interface InHand extends Omit<Lane, "key" | "workflowTemplate"> {
  readonly taskId: TaskId
  readonly adapterId: Option.Option<string>
  /** None for an adapter without hands. */
  readonly ground: Option.Option<Ground>
  readonly since: DateTime.Utc
}

/** What holds work back, kept in the store so that every process sees the same. */
export interface Gates {
  /** None while dispatch is not paused. */
  readonly pause: Effect.Effect<Option.Option<Pause>, StoreUnavailable>
  /** When and by whom the last pause was ended; none while dispatch is paused, and where it never was. */
  readonly resumed: Effect.Effect<Option.Option<Stamp>, StoreUnavailable>
  /**
   * Pauses dispatch; when it is paused already a new reason and its time replace the old ones, which `before` and the
   * event tell.
   */
  readonly setPause: (
    reason: Option.Option<string>,
    stamp: Stamp
  ) => Effect.Effect<{ readonly pause: Pause; readonly before: Option.Option<Pause> }, StoreUnavailable>
  /** Ends the pause; false when there was none (then no event is written). */
  readonly clearPause: (stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Adapters that cool down at `now`. */
  readonly cooldowns: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<Cooldown>, StoreUnavailable>
  /** Cools an adapter down until a time; a longer cool-down that is in force stays, and is no event. */
  readonly coolDown: (
    cooldown: Cooldown,
    cause: Option.Option<CooldownCause>,
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /**
   * Ends an adapter's cool-down, and the waits of the tasks whose last attempt ran into its limit: they are due
   * at once. False when it did not cool down (then nothing changes and no event is written).
   */
  readonly clearCooldown: (adapterId: string, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** The attempts that run now: what the adapters' limits and the use of folders are judged by. */
  readonly inHand: Effect.Effect<ReadonlyArray<InHand>, StoreUnavailable>
}
