import { Data, Option } from "effect"
import type { Execution, StopReason } from "../adapter/AdapterRegistry.ts"
import type { MachineStatus, Outcome } from "../domain/Outcome.ts"
import { Normalised } from "./Normalize.ts"
import type { RetryHint } from "./RetryHint.ts"

/** Why an attempt ended before its adapter started. */
export type NotStartedReason =
  | "input_missing"
  | "bundle_unusable"
  | "profile_unknown"
  | "adapter_unknown"
  | "untrusted_not_admitted"
  | "budget_exhausted"
  | "prompt_too_large"
  | "artifact_root_unusable"
  | "path_refused"
  | "evidence_unwritable"
  | "workspace_unusable"
  | "internal_fault"

/** Why an attempt ended as it did: short words that events, attempts and pages carry. */
export type VerdictReason =
  | NotStartedReason
  | "completed"
  | "verification_failed"
  | "outcome_undecodable"
  | "processes_left"
  | "attempts_used_up"
  | "timeout"
  | "exit_error"
  | "cannot_start"
  | "needs_operator"
  | "rate_limited"
  | "workspace_in_use"
  | "adapter_busy"
  | "no_room"
  | "reported_blocked"
  | "reported_permanent_failure"
  | "reported_retryable_failure"
  | "interrupted"
  | "drain"
  | "cancel"

interface Why {
  readonly reason: VerdictReason
  /** One line for operators, at most 600 characters. */
  readonly detail: string
}

/**
 * What becomes of an attempt's task. `outcome` is what the task records: the adapter's own where it gave one
 * that was believed, else one that says what happened; its status is always the task's new one.
 */
export type Verdict = Data.TaggedEnum<{
  Completed: Why & { readonly outcome: Outcome }
  /** Waits for an operator. `issues` are the verification's, empty for other reasons. */
  Blocked: Why & { readonly outcome: Outcome; readonly issues: ReadonlyArray<string> }
  PermanentFailure: Why & { readonly outcome: Outcome }
  /** Another attempt after the back-off, or after the seconds that the other side asked for. */
  Retry: Why & { readonly outcome: Outcome; readonly seconds: Option.Option<number> }
  /** Another attempt after so many seconds; this one is not counted. */
  Snooze: Why & { readonly outcome: Outcome; readonly seconds: number }
  Canceled: Why
  /** Due again at once, the attempt not counted: a drain stopped it. */
  PutBack: Why
}>
export const Verdict = Data.taggedEnum<Verdict>()

/** What a verdict is reached from. */
export interface Findings {
  /** Attempts used up in the present round, this one included, and how many there are. */
  readonly attemptCount: number
  readonly maxAttempts: number
  /** Attempts of the round that were taken back so far. */
  readonly notCounted: number
  readonly execution: Pick<
    Execution,
    "exitStatus" | "retryClass" | "reason" | "stderrEnd" | "survivors" | "lacksRoom"
  >
  readonly normalised: Normalised
  /** Of the verification and of the writing of artifacts; read only for a completed outcome. */
  readonly issues: ReadonlyArray<string>
  readonly hint: Option.Option<RetryHint>
  /** Why the attempt was told to end, if it was. */
  readonly stop: Option.Option<StopReason>
}

/** So many attempts of a round are taken back; the next one counts. */
export const MOST_NOT_COUNTED = 20

const LONGEST_WAIT = 300

/** Seconds that a task is put off for by what is nobody's fault: twice as long each time, up to five minutes. */
export const secondsAfter = (notCounted: number, shortest: number): number =>
  Math.min(LONGEST_WAIT, shortest * 2 ** Math.min(notCounted, 10))

/** The attempt itself has waited before, and fewer are made at once after it. */
const SHORTEST_WITHOUT_ROOM = 1

/** How far the round of a task has come. */
export type Used = Pick<Findings, "attemptCount" | "maxAttempts" | "notCounted">

/**
 * The attempt could not be made now, by no fault of its task: it is made again after so many seconds, this one not
 * counted. Of those that count, as one does after 20 in a round, the last one blocks the task, and says what it waited for.
 */
export const putOff = (used: Used, reason: VerdictReason, what: string, seconds: number): Verdict =>
  used.notCounted < MOST_NOT_COUNTED
    ? Verdict.Snooze({
        reason,
        detail: line(what),
        outcome: synthetic("retryable_failure", what),
        seconds
      })
    : retry({ ...used, hint: Option.some({ seconds }) }, reason, what, Option.none())

/** The host had no room to run the attempt: it is made again in a little while, see `putOff`. */
export const noRoom = (used: Used, what: string): Verdict =>
  putOff(used, "no_room", what, secondsAfter(used.notCounted, SHORTEST_WITHOUT_ROOM))

/** Decides from the evidence alone; never from phrases of an answer. */
export const decide = (findings: Findings): Verdict => {
  const { execution, stop } = findings
  if (execution.survivors.length > 0) return processesLeft(execution.survivors)
  if (Option.contains(stop, "cancel"))
    return Verdict.Canceled({ reason: "cancel", detail: "an operator canceled the running attempt" })
  if (execution.exitStatus === "canceled") return canceled(findings)
  if (execution.lacksRoom === true)
    return noRoom(
      findings,
      Option.getOrElse(execution.reason, () => "the host had no room")
    )
  if (execution.exitStatus !== "ok" && execution.retryClass !== "retryable") return notRetried(execution)
  const outcome = believed(findings)
  if (Option.isSome(outcome) && outcome.value.status === "completed")
    return completed(findings, outcome.value)
  return Option.isSome(findings.hint) && findings.notCounted < MOST_NOT_COUNTED
    ? snooze(findings.hint.value, outcome, execution)
    : notCompleted(findings, outcome)
}

/** The outcome of an answer, unless the execution gives it the lie: a failed command completed nothing. */
export const believed = ({
  execution,
  normalised
}: Pick<Findings, "execution" | "normalised">): Option.Option<Outcome> =>
  Normalised.$match(normalised, {
    Undecodable: () => Option.none(),
    Decoded: ({ outcome }) =>
      execution.exitStatus === "ok" || (execution.exitStatus === "error" && outcome.status !== "completed")
        ? Option.some(outcome)
        : Option.none()
  })

const processesLeft = (survivors: ReadonlyArray<string>): Verdict =>
  blocked(
    "processes_left",
    `processes of the attempt survived SIGKILL: ${survivors.join(", ")}`,
    Option.none()
  )

const canceled = (findings: Findings): Verdict => {
  const drained = Option.contains(findings.stop, "drain")
  if (drained && findings.notCounted < MOST_NOT_COUNTED)
    return Verdict.PutBack({ reason: "drain", detail: "the dispatcher stopped while the attempt ran" })
  const what = drained
    ? `the dispatcher stopped while the attempt ran, as ${findings.notCounted} times before in this round`
    : Option.getOrElse(findings.execution.reason, () => "the attempt was interrupted")
  return retry(findings, drained ? "drain" : "interrupted", what, Option.none())
}

/** Neither waiting nor trying again mends it: what could not start at all, and what an operator must put right. */
const notRetried = (execution: Findings["execution"]): Verdict => {
  const what = Option.getOrElse(execution.reason, () => "the adapter ended with an error")
  return execution.retryClass === "permanent"
    ? Verdict.PermanentFailure({
        reason: "cannot_start",
        detail: line(what),
        outcome: synthetic("permanent_failure", what)
      })
    : blocked("needs_operator", what, Option.none())
}

const completed = (findings: Findings, outcome: Outcome): Verdict => {
  const [first] = findings.issues
  if (first === undefined)
    return Verdict.Completed({ reason: "completed", detail: line(outcome.operatorSummary), outcome })
  const more = findings.issues.length > 1 ? ` (and ${findings.issues.length - 1} more)` : ""
  return Verdict.Blocked({
    reason: "verification_failed",
    detail: line(`${first}${more}`),
    issues: findings.issues,
    outcome: {
      ...as("blocked", outcome),
      operatorSummary: `Blocked: ${first}${more}\nThe adapter reported: ${outcome.operatorSummary}`
    }
  })
}

const snooze = (
  hint: RetryHint,
  outcome: Option.Option<Outcome>,
  execution: Findings["execution"]
): Verdict => {
  const why = Option.match(execution.reason, { onNone: () => "", onSome: (reason) => `: ${reason}` })
  const detail = line(`rate limited: to be tried again in ${hint.seconds} s, says the ${hint.from}${why}`)
  return Verdict.Snooze({
    seconds: hint.seconds,
    reason: "rate_limited",
    detail,
    outcome: recorded("retryable_failure", detail, outcome)
  })
}

const notCompleted = (findings: Findings, outcome: Option.Option<Outcome>): Verdict => {
  if (Option.isNone(outcome)) return withoutOutcome(findings)
  const { status, operatorSummary } = outcome.value
  if (status === "blocked") return blocked("reported_blocked", operatorSummary, outcome)
  if (status === "permanent_failure")
    return Verdict.PermanentFailure({
      reason: "reported_permanent_failure",
      detail: line(operatorSummary),
      outcome: as("permanent_failure", outcome.value)
    })
  const reason = Option.isSome(findings.hint) ? "rate_limited" : "reported_retryable_failure"
  return retry(findings, reason, operatorSummary, outcome)
}

const withoutOutcome = (findings: Findings): Verdict => {
  const { execution, hint, normalised } = findings
  const told = Option.getOrElse(execution.reason, () => "the adapter ended with an error")
  if (Option.isSome(hint)) return retry(findings, "rate_limited", told, Option.none())
  if (execution.exitStatus === "timeout") return retry(findings, "timeout", told, Option.none())
  if (execution.exitStatus === "error") return retry(findings, "exit_error", told, Option.none())
  const why = normalised._tag === "Undecodable" ? normalised.reason : told
  const more = execution.stderrEnd === "" ? "" : `; stderr ends with: ${execution.stderrEnd}`
  return retry(findings, "outcome_undecodable", `${why}${more}`, Option.none())
}

const retry = (
  findings: Omit<Used, "notCounted"> & { readonly hint: Option.Option<Pick<RetryHint, "seconds">> },
  reason: VerdictReason,
  what: string,
  outcome: Option.Option<Outcome>
): Verdict => {
  const { attemptCount, maxAttempts } = findings
  if (attemptCount >= maxAttempts)
    return blocked(
      "attempts_used_up",
      `${attemptCount} of ${maxAttempts} attempts used up; the last one: ${reason}: ${what}`,
      outcome
    )
  return Verdict.Retry({
    reason,
    detail: line(what),
    outcome: recorded("retryable_failure", what, outcome),
    seconds: Option.map(findings.hint, (hint) => hint.seconds)
  })
}

const blocked = (reason: VerdictReason, what: string, outcome: Option.Option<Outcome>): Verdict =>
  Verdict.Blocked({ reason, detail: line(what), issues: [], outcome: recorded("blocked", what, outcome) })

const recorded = (status: Outcome["status"], what: string, outcome: Option.Option<Outcome>): Outcome =>
  Option.match(outcome, { onNone: () => synthetic(status, what), onSome: (one) => as(status, one) })

const MACHINE_STATUS: Readonly<Record<Outcome["status"], MachineStatus>> = {
  completed: "ok",
  retryable_failure: "needs_retry",
  permanent_failure: "failed",
  blocked: "blocked"
}

const as = (status: Outcome["status"], outcome: Outcome): Outcome => ({
  ...outcome,
  status,
  machineStatus: MACHINE_STATUS[status]
})

/** The outcome of an attempt that gave none. */
export const synthetic = (status: Outcome["status"], what: string): Outcome => ({
  status,
  operatorSummary: line(what),
  machineStatus: MACHINE_STATUS[status],
  fileChanges: [],
  artifactPaths: [],
  followUpTasks: [],
  externalMessages: []
})

const MOST_DETAIL = 600

const line = (text: string): string => {
  const plain = text
    .slice(0, 4 * MOST_DETAIL)
    .replace(/\s+/g, " ")
    .trim()
  return plain.length > MOST_DETAIL ? `${plain.slice(0, MOST_DETAIL - 1)}…`.toWellFormed() : plain
}
