import type { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId, EventId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { EventType, RunEvent } from "../domain/RunEvent.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface NewEvent {
  readonly type: EventType
  readonly taskId: Option.Option<TaskId>
  readonly attemptId: Option.Option<AttemptId>
  readonly detail: JsonObject
}

/** The append-only history. Events of moves are written by the moves themselves. */
export interface Events {
  /** For facts that are no move: an idle cycle, a fallback, a refused follow-up. */
  readonly append: (event: NewEvent, stamp: Stamp) => Effect.Effect<EventId, StoreUnavailable>
  /** After `since`, oldest first, at most `limit`. */
  readonly since: (since: EventId, limit: number) => Effect.Effect<ReadonlyArray<RunEvent>, StoreUnavailable>
  /** The newest `limit`, oldest first. */
  readonly newest: (limit: number) => Effect.Effect<ReadonlyArray<RunEvent>, StoreUnavailable>
  /** The oldest event that is kept; where none is, the one that comes next. */
  readonly oldest: Effect.Effect<EventId, StoreUnavailable>
  /** The newest event that is kept; where none is, the last that was given, 0 in a history that has not begun. */
  readonly latest: Effect.Effect<EventId, StoreUnavailable>
  /** Of one task, oldest first, at most the newest `limit`. */
  readonly ofTask: (id: TaskId, limit: number) => Effect.Effect<ReadonlyArray<RunEvent>, StoreUnavailable>
}
