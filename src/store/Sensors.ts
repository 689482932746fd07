import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId, WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { SensorEvent } from "../domain/SensorEvent.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** An observation as it is recorded; its freshness was judged before. */
export interface NewSensorEvent {
  readonly sensorEventId: string
  readonly sensorId: string
  readonly eventId: string
  readonly sourceRef: string
  readonly dedupeKey: string
  readonly payload: JsonObject
  readonly observedAt: DateTime.Utc
  readonly freshnessDeadline: Option.Option<DateTime.Utc>
  readonly stale: boolean
}

export interface SensorEventPage {
  readonly events: ReadonlyArray<SensorEvent>
  /** Opaque; none on the last page. */
  readonly next: Option.Option<string>
}

/** What sensors have observed. A key, once used, is used up for ever. */
export interface Sensors {
  /**
   * Records an observation; where its dedupe_key, or its sensor's event_id, is used up, the event that did that
   * is answered (of the dedupe_key first) and none is recorded.
   */
  readonly record: (
    event: NewSensorEvent,
    stamp: Stamp
  ) => Effect.Effect<{ readonly recorded: boolean; readonly event: SensorEvent }, StoreUnavailable>
  /** Keeps the task that an event came to, and tells it where the event created it. */
  readonly ledToTask: (
    sensorEventId: string,
    to: { readonly taskId: TaskId; readonly created: boolean },
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /** Keeps the workflow that an event came to, and tells whether it was opened or had been there. */
  readonly ledToWorkflow: (
    sensorEventId: string,
    to: { readonly workflowId: WorkflowId; readonly instanceKey: string; readonly created: boolean },
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /**
   * Newest first; a payload of more than 64 KiB is shown as its length alone. `limit` 1..500; a cursor that this
   * store did not give answers none.
   */
  readonly list: (page: {
    readonly limit: number
    readonly after: Option.Option<string>
  }) => Effect.Effect<Option.Option<SensorEventPage>, StoreUnavailable>
}
