import { Option } from "effect"
import { quoted } from "../domain/Abridged.ts"
import { isModelBacked } from "../domain/Attempt.ts"
import { traced } from "../domain/Traced.ts"
import { artifactIssues } from "./ArtifactIssues.ts"
import type { Claim } from "./Claim.ts"
import { echoOf } from "./Echo.ts"
import { fileChangeIssues } from "./FileChanges.ts"

/** More issues than this are counted, not listed. */
const MOST_ISSUES = 100

/**
 * Checks a completed outcome against the evidence on disk. Answers what does not hold, each as
 * `name: sentence`; an empty list is proof enough to complete the task. Never fails: what cannot be looked at
 * is an issue.
 */
export const verify = traced("Evidence.verify")(function* (claim: Claim) {
  const issues = [
    ...statusIssues(claim),
    ...echoIssues(claim),
    ...(yield* artifactIssues(claim)),
    ...(yield* fileChangeIssues(claim))
  ]
  const more = issues.length - MOST_ISSUES
  return more > 0
    ? [...issues.slice(0, MOST_ISSUES), `more_issues: ${more} more issues are not listed.`]
    : issues
})

const statusIssues = ({ outcome }: Claim): ReadonlyArray<string> =>
  outcome.machineStatus === "ok"
    ? []
    : [
        `machine_status: the outcome says status completed and machine_status ${outcome.machineStatus}; completed work is ok.`
      ]

const echoIssues = ({ mode, outcome, promptText }: Claim): ReadonlyArray<string> => {
  const echo = isModelBacked(mode) ? echoOf(outcome.operatorSummary, promptText) : Option.none()
  return Option.match(echo, {
    onNone: () => [],
    onSome: (stretch) => [
      `summary_echoes_prompt: the operator summary repeats ${stretch.length} or more characters of the prompt: ${quoted(stretch, 80)}.`
    ]
  })
}
