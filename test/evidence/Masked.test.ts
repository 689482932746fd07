import { expect, test } from "bun:test"
import { DateTime, Option, Schema } from "effect"
import { blank } from "../../layers/adapter/Script.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { noSecrets, redactorOf } from "../../src/domain/Redactor.ts"
import { maskedExecution, maskedFault, maskedOutcome } from "../../src/evidence/Masked.ts"
import { outcome } from "./claim.ts"

const redactor = redactorOf(["hunter22", "completed"])
const expiresAt = DateTime.unsafeMake(0)

test("every free text of an outcome is masked; statuses, numbers and times stay", () => {
  const masked = maskedOutcome(
    outcome({
      operatorSummary: "used hunter22",
      fileChanges: ["created: a/hunter22"],
      artifactPaths: ["hunter22.md"],
      followUpTasks: [{ kind: "note", payload: { hunter22: ["hunter22", 5] } }],
      externalMessages: [{ content: "aHVudGVyMjI=" }],
      workflowSignal: "hunter22",
      retryAfterSeconds: 5,
      question: { text: "hunter22?", choices: ["hunter22", "b"], default: "hunter22", expiresAt }
    }),
    redactor
  )
  expect(Schema.encodeSync(Outcome)(masked)).toEqual({
    status: "completed",
    operator_summary: "used [redacted]",
    machine_status: "ok",
    file_changes: ["created: a/[redacted]"],
    artifact_paths: ["[redacted].md"],
    follow_up_tasks: [{ kind: "note", payload: { "[redacted]": ["[redacted]", 5] } }],
    external_messages: [{ content: "[redacted]=" }],
    workflow_signal: "[redacted]",
    retry_after_seconds: 5,
    question: {
      text: "[redacted]?",
      choices: ["[redacted]", "b"],
      default: "[redacted]",
      expires_at: "1970-01-01T00:00:00.000Z"
    }
  })
  expect(maskedOutcome(outcome(), noSecrets)).toEqual(outcome())
})

test("what is told of an execution is masked; its last message stays for the decoder", () => {
  const masked = maskedExecution({
    ...blank,
    redactor,
    reason: Option.some("exit code 1: hunter22"),
    survivors: ["7 (hunter22)"],
    diagnostics: ["hunter22 was denied"],
    lastMessage: "hunter22"
  })
  expect(masked).toMatchObject({
    reason: Option.some("exit code 1: [redacted]"),
    survivors: ["7 ([redacted])"],
    diagnostics: ["[redacted] was denied"],
    lastMessage: "hunter22"
  })
})

test("a fault is told without what it quotes", () => {
  const fault = maskedFault(new TypeError("Unexpected identifier hunter22"), redactor)
  expect([fault.name, fault.message]).toEqual(["TypeError", "Unexpected identifier [redacted]"])
  expect(fault.stack).not.toContain("hunter22")
  expect(maskedFault("hunter22", redactor).message).toBe("[redacted]")
})
