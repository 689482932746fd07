import { type DateTime, Effect, Option, Order } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import { workingDirOf } from "../config/WorkingDir.ts"
import { RealPath } from "../context/RealPath.ts"
import type { TaskId } from "../domain/Ids.ts"
import type { Ground } from "../store/Gates.ts"
import type { Head } from "../store/Tasks.ts"

/** A folder is in use by an attempt, and one of the two adapters wants to be alone in it. */
export interface WorkspaceInUse {
  readonly _tag: "WorkspaceInUse"
  readonly adapterId: string
  readonly dir: string
  readonly by: { readonly taskId: TaskId; readonly adapterId: string; readonly since: DateTime.Utc }
}

/** An attempt that works in a folder now, in whichever process. */
export interface Occupant {
  readonly taskId: TaskId
  readonly adapterId: string
  readonly ground: Ground
  readonly since: DateTime.Utc
}

export interface Occupancy {
  /** Where each configured adapter with hands would work now. */
  readonly grounds: ReadonlyMap<string, Ground>
  readonly occupants: ReadonlyArray<Occupant>
}

/** Whether attempts on these grounds must not overlap: in one folder, and one of them is exclusive. */
export const clash = (one: Ground, other: Ground): boolean =>
  one.dir === other.dir && (one.workspace === "exclusive" || other.workspace === "exclusive")

/** The attempt that an adapter's next one waits for; of several the one that has been there longest. */
export const inTheWay = (
  adapterId: string,
  { grounds, occupants }: Occupancy
): Option.Option<WorkspaceInUse> => {
  const ground = grounds.get(adapterId)
  if (ground === undefined) return Option.none()
  const [first] = occupants
    .filter((occupant) => clash(ground, occupant.ground))
    .sort((a, b) => a.since.epochMillis - b.since.epochMillis)
  return Option.map(Option.fromNullable(first), ({ since, taskId, adapterId: other }) => ({
    _tag: "WorkspaceInUse",
    adapterId,
    dir: ground.dir,
    by: { taskId, adapterId: other, since }
  }))
}

/** Whether a task comes before another in the order of claims. */
export const isBefore = (one: Head, other: Head): boolean => byOrder(one, other) < 0

const byOrder: Order.Order<Head> = Order.combineAll([
  Order.mapInput(Order.reverse(Order.number), (head: Head) => head.priority),
  Order.mapInput(Order.number, (head: Head) => head.createdAt.epochMillis),
  Order.mapInput(Order.string, (head: Head) => head.taskId)
])

/** Where attempts of an adapter would work if they began now; none for one without hands. */
export const groundOf = (adapter: AdapterSettings, settings: Pick<Settings, "configPath">) =>
  Effect.gen(function* () {
    const dir = workingDirOf(adapter, settings)
    if (Option.isNone(dir)) return Option.none<Ground>()
    const real = yield* (yield* RealPath).of(dir.value)
    return Option.some<Ground>({ dir: real, workspace: adapter.workspace })
  })

/** Where each configured adapter with hands would work, by its id. A look at the disk: not for transactions. */
export const groundsNow = Effect.gen(function* () {
  const settings = yield* RuntimeConfig
  const grounds = new Map<string, Ground>()
  for (const [id, adapter] of settings.adapters) {
    const ground = yield* groundOf(adapter, settings)
    if (Option.isSome(ground)) grounds.set(id, ground.value)
  }
  return grounds as ReadonlyMap<string, Ground>
})
