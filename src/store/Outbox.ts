import type { Effect } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** Messages that bridges read and acknowledge; the runtime itself sends nothing. */
export interface Outbox {
  readonly add: (
    message: { readonly taskId: TaskId; readonly attemptId: AttemptId; readonly message: JsonObject },
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
}
