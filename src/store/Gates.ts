import type { DateTime, Effect, Option } from "effect"
import type { Actor, Stamp } from "../domain/Actor.ts"
import type { StoreUnavailable } from "./StoreError.ts"

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

/** What holds work back, kept in the store so that every process sees the same. */
export interface Gates {
  /** None while dispatch is not paused. */
  readonly pause: Effect.Effect<Option.Option<Pause>, StoreUnavailable>
  /** Pauses dispatch; when it is paused already a new reason replaces the old one and its time is kept. */
  readonly setPause: (reason: Option.Option<string>, stamp: Stamp) => Effect.Effect<Pause, StoreUnavailable>
  /** Ends the pause; false when there was none (then no event is written). */
  readonly clearPause: (stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Adapters that cool down at `now`. */
  readonly cooldowns: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<Cooldown>, StoreUnavailable>
  /** Cools an adapter down until a time; a longer cool-down that is in force stays. */
  readonly coolDown: (cooldown: Cooldown, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
}
