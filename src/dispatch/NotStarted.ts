import { Data } from "effect"
import type { Settings } from "../config/RuntimeConfig.ts"
import { type NotStartedReason, synthetic, Verdict } from "../evidence/Verdict.ts"

/** An attempt ended before its adapter started. `permanent`: no operator can mend it for this task. */
export class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly reason: NotStartedReason
  readonly detail: string
  readonly permanent: boolean
}> {}

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
