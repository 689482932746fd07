import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { Normalised } from "../../src/evidence/Normalize.ts"
import { decide, type Findings } from "../../src/evidence/Verdict.ts"

const reported = (status: Outcome["status"], more: Partial<Outcome> = {}): Normalised =>
  Normalised.Decoded({
    diagnostics: [],
    outcome: {
      status,
      operatorSummary: `said ${status}`,
      machineStatus: "ok",
      fileChanges: ["created: a/b"],
      artifactPaths: [],
      followUpTasks: [],
      externalMessages: [],
      ...more
    }
  })
const undecodable = Normalised.Undecodable({ reason: "the answer is empty" })
const ok = {
  exitStatus: "ok",
  retryClass: "none",
  reason: Option.none(),
  stderrEnd: "",
  survivors: []
} as const
const failed = {
  ...ok,
  exitStatus: "error",
  retryClass: "retryable",
  reason: Option.some("exit code 3: boom")
} as const
const timeout = { ...failed, exitStatus: "timeout", reason: Option.some("no end after 1 s") } as const
const canceled = { ...ok, exitStatus: "canceled" } as const
const limit = Option.some({ seconds: 30, from: "text" as const })

const verdict = (more: Partial<Findings>) =>
  decide({
    attemptCount: 1,
    maxAttempts: 3,
    notCounted: 0,
    execution: ok,
    normalised: reported("completed"),
    issues: [],
    hint: Option.none(),
    stop: Option.none(),
    ...more
  })

type Row = readonly [title: string, findings: Partial<Findings>, tag: string, reason: string, status?: string]
const rows: ReadonlyArray<Row> = [
  ["a completed outcome without issues", {}, "Completed", "completed", "completed"],
  ["an issue", { issues: ["artifact_missing: x"] }, "Blocked", "verification_failed", "blocked"],
  ["a completed outcome with a hint is completed", { hint: limit }, "Completed", "completed", "completed"],
  [
    "an issue is not waited away",
    { issues: ["x: y"], hint: limit },
    "Blocked",
    "verification_failed",
    "blocked"
  ],
  ["reported blocked", { normalised: reported("blocked") }, "Blocked", "reported_blocked", "blocked"],
  [
    "reported permanent",
    { normalised: reported("permanent_failure") },
    "PermanentFailure",
    "reported_permanent_failure",
    "permanent_failure"
  ],
  [
    "reported retryable",
    { normalised: reported("retryable_failure") },
    "Retry",
    "reported_retryable_failure",
    "retryable_failure"
  ],
  ["no outcome", { normalised: undecodable }, "Retry", "outcome_undecodable", "retryable_failure"],
  [
    "a failed command",
    { execution: failed, normalised: undecodable },
    "Retry",
    "exit_error",
    "retryable_failure"
  ],
  ["a failed command completed nothing", { execution: failed }, "Retry", "exit_error", "retryable_failure"],
  [
    "a failed command may say why it is blocked",
    { execution: failed, normalised: reported("blocked") },
    "Blocked",
    "reported_blocked",
    "blocked"
  ],
  ["a timeout completed nothing", { execution: timeout }, "Retry", "timeout", "retryable_failure"],
  [
    "a timeout's early word does not count",
    { execution: timeout, normalised: reported("blocked") },
    "Retry",
    "timeout",
    "retryable_failure"
  ],
  [
    "what cannot start",
    { execution: { ...failed, retryClass: "permanent" }, normalised: undecodable },
    "PermanentFailure",
    "cannot_start",
    "permanent_failure"
  ],
  [
    "what an operator must mend is not waited for",
    { execution: { ...failed, retryClass: "none" }, normalised: undecodable, hint: limit },
    "Blocked",
    "needs_operator",
    "blocked"
  ],
  [
    "a failed command at the last attempt",
    { execution: failed, normalised: undecodable, attemptCount: 3 },
    "Blocked",
    "attempts_used_up",
    "blocked"
  ],
  [
    "a reported failure at the last attempt",
    { normalised: reported("retryable_failure"), attemptCount: 5 },
    "Blocked",
    "attempts_used_up",
    "blocked"
  ],
  [
    "a rate limit on a failure",
    { execution: failed, normalised: undecodable, hint: limit },
    "Snooze",
    "rate_limited",
    "retryable_failure"
  ],
  [
    "a rate limit at the last attempt",
    { execution: failed, normalised: undecodable, hint: limit, attemptCount: 3 },
    "Snooze",
    "rate_limited",
    "retryable_failure"
  ],
  [
    "a rate limit on a reported block",
    { normalised: reported("blocked"), hint: limit },
    "Snooze",
    "rate_limited",
    "retryable_failure"
  ],
  [
    "the 20th rate limit",
    { execution: failed, normalised: undecodable, hint: limit, notCounted: 19 },
    "Snooze",
    "rate_limited",
    "retryable_failure"
  ],
  [
    "the 21st rate limit counts",
    { execution: failed, normalised: undecodable, hint: limit, notCounted: 20 },
    "Retry",
    "rate_limited",
    "retryable_failure"
  ],
  [
    "the 21st rate limit at the last attempt",
    { execution: failed, normalised: undecodable, hint: limit, notCounted: 20, attemptCount: 3 },
    "Blocked",
    "attempts_used_up",
    "blocked"
  ],
  [
    "a reported block after 20 rate limits is one",
    { normalised: reported("blocked"), hint: limit, notCounted: 20 },
    "Blocked",
    "reported_blocked",
    "blocked"
  ],
  [
    "a cancel",
    { execution: canceled, stop: Option.some("cancel"), normalised: undecodable },
    "Canceled",
    "cancel"
  ],
  ["a cancel that came as the work ended", { stop: Option.some("cancel") }, "Canceled", "cancel"],
  [
    "a drain",
    { execution: canceled, stop: Option.some("drain"), normalised: undecodable },
    "PutBack",
    "drain"
  ],
  [
    "a drain at the last attempt",
    { execution: canceled, stop: Option.some("drain"), normalised: undecodable, attemptCount: 3 },
    "PutBack",
    "drain"
  ],
  [
    "a drain that came as the work ended",
    { stop: Option.some("drain") },
    "Completed",
    "completed",
    "completed"
  ],
  [
    "the 21st drain counts",
    { execution: canceled, stop: Option.some("drain"), normalised: undecodable, notCounted: 20 },
    "Retry",
    "drain",
    "retryable_failure"
  ],
  [
    "an end that nobody asked for",
    { execution: canceled, normalised: reported("completed") },
    "Retry",
    "interrupted",
    "retryable_failure"
  ],
  [
    "survivors come before everything",
    { execution: { ...canceled, survivors: ["12 (sleep)"] }, stop: Option.some("cancel") },
    "Blocked",
    "processes_left",
    "blocked"
  ]
]

describe("the verdict on", () => {
  for (const [title, findings, tag, reason, status] of rows)
    test(title, () => {
      const found = verdict(findings)
      expect<Array<string>>([found._tag, found.reason]).toEqual([tag, reason])
      expect<string | undefined>("outcome" in found ? found.outcome.status : undefined).toBe(status)
      expect(found.detail).not.toContain("\n")
      expect(found.detail.length).toBeGreaterThan(0)
    })
})

const MACHINE = {
  completed: "ok",
  retryable_failure: "needs_retry",
  permanent_failure: "failed",
  blocked: "blocked"
}

test("the machine status of what is recorded fits its status", () => {
  for (const [, findings] of rows) {
    const found = verdict(findings)
    if ("outcome" in found) expect<string>(found.outcome.machineStatus).toBe(MACHINE[found.outcome.status])
  }
})

test("a blocked completion keeps what was reported, and says first that it is blocked", () => {
  const found = verdict({ issues: ["artifact_missing: x", "echo: y"] })
  expect(found).toMatchObject({
    issues: ["artifact_missing: x", "echo: y"],
    detail: "artifact_missing: x (and 1 more)",
    outcome: {
      fileChanges: ["created: a/b"],
      operatorSummary: "Blocked: artifact_missing: x (and 1 more)\nThe adapter reported: said completed"
    }
  })
})

test("a blocked outcome keeps its question", () => {
  const question = { text: "which?", choices: ["a", "b"] }
  expect(verdict({ normalised: reported("blocked", { question }) })).toMatchObject({ outcome: { question } })
})

test("an attempt without an outcome records what happened", () => {
  const found = verdict({ execution: failed, normalised: undecodable })
  expect(found).toMatchObject({ outcome: { operatorSummary: "exit code 3: boom", fileChanges: [] } })
  expect(verdict({ execution: failed, normalised: undecodable, attemptCount: 3 }).detail).toBe(
    "3 of 3 attempts used up; the last one: exit_error: exit code 3: boom"
  )
})

test("an undecodable answer tells the end of stderr beside", () => {
  const execution = { ...ok, stderrEnd: "warning: no key" }
  expect(verdict({ execution, normalised: undecodable }).detail).toBe(
    "the answer is empty; stderr ends with: warning: no key"
  )
})

test("a detail is one bounded line whatever the summary holds", () => {
  const long = verdict({
    normalised: reported("blocked", { operatorSummary: `a\n\tb ${"x".repeat(10_000)}` })
  })
  expect(long.detail).toStartWith("a b x")
  expect(long.detail.length).toBe(600)
  expect("outcome" in long && long.outcome.operatorSummary.length).toBe(10_005)
})

test("a rate limit tells seconds and where they are from", () => {
  const found = verdict({ execution: failed, normalised: undecodable, hint: limit })
  expect(found).toMatchObject({
    seconds: 30,
    detail: "rate limited: to be tried again in 30 s, says the text: exit code 3: boom"
  })
})
