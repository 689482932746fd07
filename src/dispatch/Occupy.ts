import { Equal, Option } from "effect"
import type { Adapter } from "../adapter/AdapterRegistry.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { traced } from "../domain/Traced.ts"
import type { Ground } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { groundOf } from "./Grounds.ts"
import { WaitsForWorkspace } from "./NotStarted.ts"

/**
 * Where the attempt works, now that it is known which adapter runs it. The claim judged by the adapter that the
 * task was meant for, at that moment: a fallback may work elsewhere, and a symlink may lead elsewhere by now. Then
 * the attempt moves there, in a transaction that judges again, or ends as WaitsForWorkspace.
 */
export const occupied = traced("Occupy.occupied")(function* (claimed: ClaimedTask, adapter: Adapter) {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const ground = yield* groundOf(adapter.settings, settings)
  if (isSame(ground, Option.fromNullable(claimed.ground))) return ground
  const found = yield* store.attempts.occupy(claimed.attempt.attemptId, ground)
  if (found._tag === "Occupied") return ground
  const { adapterId, since, taskId } = found
  return yield* new WaitsForWorkspace({ adapterId: adapter.settings.id, by: { taskId, adapterId, since } })
})

const isSame = (one: Option.Option<Ground>, other: Option.Option<Ground>): boolean =>
  Equal.equals(Option.map(one, keyOf), Option.map(other, keyOf))

const keyOf = ({ dir, workspace }: Ground): string => `${workspace} ${dir}`
