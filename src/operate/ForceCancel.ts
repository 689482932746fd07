import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Runner } from "../dispatch/Runner.ts"
import { sweep } from "../dispatch/Sweep.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import { Store } from "../store/Store.ts"

/**
 * Asks for the end of a running task. A dispatcher that is alive stops it; where none is, this process takes
 * the dispatch lock and does it, which also puts back whatever else a dead dispatcher left.
 */
export const cancelRunning = Effect.fn("ForceCancel.cancelRunning")(function* (
  id: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp
) {
  const store = yield* Store
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const runner = yield* Runner
  const requested = yield* store.tasks.requestCancel(id, reason, stamp)
  if (requested._tag !== "Moved") return requested
  yield* sweep().pipe(
    lock.hold(settings.lockPath, runner.runnerId),
    // Somebody dispatches: the request reaches it through the store.
    Effect.catchTag("LockHeld", () => Effect.void)
  )
  const after = yield* store.tasks.find(id)
  return Option.match(after, { onNone: () => requested, onSome: ({ task }) => ({ ...requested, task }) })
})
