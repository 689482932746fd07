import { Data } from "effect"
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
