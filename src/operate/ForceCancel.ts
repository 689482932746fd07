import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Runner } from "../dispatch/Runner.ts"
import { sweep } from "../dispatch/Sweep.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"

/**
 * Where no dispatcher is alive, this process takes the dispatch lock and puts back what a dead one left; what an
 * operator asked to cancel ends with that. A dispatcher that lives is reached by the request in the store.
 */
export const sweepForTheDead = Effect.gen(function* () {
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const { runnerId } = yield* Runner
  yield* sweep().pipe(
    lock.hold(settings.lockPath, runnerId),
    Effect.catchTag("LockHeld", () => Effect.void)
  )
})

/**
 * Asks for the end of a running task. A dispatcher that is alive stops it; where none is, this process does it,
 * also when somebody else had asked before.
 */
export const cancelRunning = traced("ForceCancel.cancelRunning")(function* (
  id: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp
) {
  const store = yield* Store
  const requested = yield* store.tasks.requestCancel(id, reason, stamp)
  if (requested._tag === "NotFound" || requested.task.status !== "running") return requested
  yield* sweepForTheDead
  const after = yield* store.tasks.find(id)
  if (Option.isNone(after)) return requested
  const { task } = after.value
  return task.status === "running" ? { ...requested, task } : { _tag: "Moved" as const, task }
})
