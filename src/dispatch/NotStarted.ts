import { Data, DateTime, Option } from "effect"
import type { Settings } from "../config/RuntimeConfig.ts"
import type { TaskId } from "../domain/Ids.ts"
import { fallbackCools } from "../domain/PutOff.ts"
import {
  type NotStartedReason,
  noRoom,
  putOff,
  secondsAfter,
  synthetic,
  type Used,
  Verdict
} from "../evidence/Verdict.ts"
import type { ClaimedTask } from "../store/Tasks.ts"

/** An attempt ended before its adapter started. `permanent`: no operator can mend it for this task. */
export class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly reason: NotStartedReason
  readonly detail: string
  readonly permanent: boolean
}> {}

/** No adapter of the task's chain can run now, and one of them will once it has cooled down. */
export class WaitsForFallback extends Data.TaggedError("WaitsForFallback")<{
  readonly adapterId: string
  readonly until: DateTime.Utc
}> {}

/** The adapter that is to run the task instead has no room in its budget of the day. */
export class WaitsForBudget extends Data.TaggedError("WaitsForBudget")<{
  readonly detail: string
  readonly until: DateTime.Utc
}> {}

const whyOf = (waits: WaitsForFallback | WaitsForBudget) =>
  waits._tag === "WaitsForBudget"
    ? { reason: "budget_exhausted" as const, detail: waits.detail }
    : {
        reason: "rate_limited" as const,
        detail: `${fallbackCools(waits.adapterId)}${DateTime.formatIso(waits.until)}`
      }

/** The adapter that turned out to run the attempt would work where another attempt must not be disturbed. */
export class WaitsForWorkspace extends Data.TaggedError("WaitsForWorkspace")<{
  readonly adapterId: string
  readonly by: {
    readonly taskId: TaskId
    readonly adapterId: Option.Option<string>
    readonly since: DateTime.Utc
  }
}> {}

/** The adapter that turned out to run the attempt runs as many as it may at once. */
export class WaitsForAdapter extends Data.TaggedError("WaitsForAdapter")<{
  readonly adapterId: string
  readonly limit: number
}> {}

const SHORTEST_WAIT = 5

/** How far the round of a claimed task has come, this attempt included. */
const usedBy = ({ round, task }: ClaimedTask): Used => ({ ...task, notCounted: round.notCounted })

/** The task waits a little, longer each time, see `putOff`. */
const waitALittle = (
  claimed: ClaimedTask,
  reason: "workspace_in_use" | "adapter_busy" | "interrupted",
  detail: string
): Verdict => putOff(usedBy(claimed), reason, detail, secondsAfter(claimed.round.notCounted, SHORTEST_WAIT))

/** The attempt began, and could not go on for want of a store. */
export const waitForStore = (claimed: ClaimedTask): Verdict =>
  waitALittle(claimed, "interrupted", "the attempt could not go on while the store was unavailable")

export const waitForAdapter = (claimed: ClaimedTask, { adapterId, limit }: WaitsForAdapter): Verdict =>
  waitALittle(
    claimed,
    "adapter_busy",
    `adapter ${adapterId}, which runs in place of the one that was meant, runs ${limit} attempts, its most at once (dispatch.adapterConcurrency)`
  )

export const waitForWorkspace = (claimed: ClaimedTask, { adapterId, by }: WaitsForWorkspace): Verdict => {
  const other = Option.match(by.adapterId, { onNone: () => "", onSome: (id) => ` (adapter ${id})` })
  const detail = `the workspace of adapter ${adapterId}, which runs in place of the one that was meant, is in use by task ${by.taskId}${other} since ${DateTime.formatIso(by.since)}`
  return waitALittle(claimed, "workspace_in_use", detail)
}

/** The task waits until then, as after a rate limit of its own; see `putOff`. */
export const waitOf = (
  claimed: ClaimedTask,
  waits: WaitsForFallback | WaitsForBudget,
  at: DateTime.Utc
): Verdict => {
  const seconds = Math.max(1, Math.ceil(DateTime.distance(at, waits.until) / 1000))
  const { detail, reason } = whyOf(waits)
  return putOff(usedBy(claimed), reason, detail, seconds)
}

/** The host had no room for what comes before an adapter: the task waits a little, as when no child could be started. */
export const waitForRoom = (claimed: ClaimedTask, what: string): Verdict => noRoom(usedBy(claimed), what)

/** What becomes of the task: an operator's list, or its end. */
export const verdictOf = ({ detail, permanent, reason }: NotStarted): Verdict => {
  const outcome = synthetic(permanent ? "permanent_failure" : "blocked", detail)
  const why = { reason, detail: outcome.operatorSummary, outcome }
  return permanent ? Verdict.PermanentFailure(why) : Verdict.Blocked({ ...why, issues: [] })
}

/** No adapter of that id is configured. */
export const adapterUnknown = (id: string, { adapters }: Pick<Settings, "adapters">): NotStarted =>
  new NotStarted({
    reason: "adapter_unknown",
    detail: `adapter ${id} is not configured; configured are ${[...adapters.keys()].join(", ")}`,
    permanent: true
  })

/** The adapter is configured, but not for input from outside. */
export const untrustedNotAdmitted = (id: string): NotStarted =>
  new NotStarted({
    reason: "untrusted_not_admitted",
    detail: `adapter ${id} may not run untrusted input (dispatch.untrustedAdapters)`,
    permanent: false
  })
