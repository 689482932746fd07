import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Runner } from "../dispatch/Runner.ts"
import { sweep } from "../dispatch/Sweep.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { traced } from "../domain/Traced.ts"
import { taskEnded } from "../intake/WorkflowStep.ts"
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
 * Asks for the end of a running task, a part of a transaction; one that nobody attends to is canceled at once. Its
 * workflow then learns of it, `nextTaskId` being for what may come of that.
 */
export const requestCancel = (
  id: TaskId,
  nextTaskId: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp,
  told?: JsonObject
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const moved = yield* store.tasks.requestCancel(id, reason, stamp, told)
    if (moved._tag === "Moved" && moved.task.status !== "running") yield* taskEnded(id, nextTaskId, stamp)
    return moved
  })

/**
 * Asks for the end of a running task. A dispatcher that is alive stops it; where none is, this process does it,
 * also when somebody else had asked before.
 */
export const cancelRunning = traced("ForceCancel.cancelRunning")(function* (
  id: TaskId,
  nextTaskId: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp
) {
  const store = yield* Store
  const requested = yield* store.transact("ForceCancel.request", requestCancel(id, nextTaskId, reason, stamp))
  if (requested._tag === "NotFound" || requested.task.status !== "running") return requested
  yield* sweepForTheDead
  const after = yield* store.tasks.find(id)
  if (Option.isNone(after)) return requested
  const { task } = after.value
  return task.status === "running" ? { ...requested, task } : { _tag: "Moved" as const, task }
})
