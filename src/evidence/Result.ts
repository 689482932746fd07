import { Option, Schema } from "effect"
import type { ExitStatus, RetryClass } from "../domain/Attempt.ts"
import type { JsonObject } from "../domain/Json.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Verdict } from "./Verdict.ts"

/** What an attempt came to, as its folder keeps it; free of secrets. */
export interface Result {
  readonly verdict: Verdict["_tag"]
  /** The word for it, then in words. */
  readonly reason: string
  readonly detail: string
  readonly exitStatus: Option.Option<ExitStatus>
  readonly retryClass: Option.Option<RetryClass>
  readonly issues: ReadonlyArray<string>
  readonly facts: JsonObject
  /** The artifact that the runtime wrote for it. */
  readonly artifact?: string
  readonly outcome?: Outcome
}

/** Of an attempt that nothing is known of but its verdict. */
export const bareResult = (
  { _tag, detail, reason }: Verdict,
  end: Pick<Result, "exitStatus" | "retryClass" | "issues">
): Result => ({ ...end, verdict: _tag, reason, detail, facts: {} })

const encodeOutcome = Schema.encodeSync(Outcome)

/** The text of `result.json`. */
export const resultText = (of: Result): string => {
  const result = {
    verdict: of.verdict,
    reason: of.reason,
    detail: of.detail,
    exit_status: Option.getOrNull(of.exitStatus),
    retry_class: Option.getOrNull(of.retryClass),
    issues: of.issues,
    facts: of.facts,
    artifact_written_by_runtime: of.artifact ?? null,
    outcome: of.outcome === undefined ? null : encodeOutcome(of.outcome)
  }
  return `${JSON.stringify(result, null, 2)}\n`
}
