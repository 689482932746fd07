import { describe, expect, test } from "bun:test"
import { Schema } from "effect"
import { outcomeSchema, outcomeShape, strictOutcomeSchema } from "../../src/context/OutcomeSchema.ts"
import { Outcome } from "../../src/domain/Outcome.ts"

describe("the outcome's JSON Schema", () => {
  test("names every key that the decoder knows, without references", () => {
    const minimal = { status: "completed", operator_summary: "Done.", machine_status: "ok" } as const
    const full = Schema.encodeSync(Outcome)({
      ...Schema.decodeSync(Outcome)(minimal),
      workflowSignal: "complete",
      retryAfterSeconds: 3,
      question: { text: "Which?", choices: ["a"] }
    })
    expect(Object.keys(outcomeShape.properties ?? {}).sort()).toEqual(Object.keys(full).sort())
    expect(JSON.stringify(outcomeSchema)).not.toContain("$")
  })

  test("in its strict form requires every key, and what may be left out may be null", () => {
    const { properties, required } = strictOutcomeSchema as { properties: object; required: Array<string> }
    expect(Object.keys(properties)).toEqual(required)
    expect(required).not.toContain("follow_up_tasks")
    const answer = {
      status: "blocked",
      operator_summary: "Which one?",
      machine_status: "blocked",
      file_changes: [],
      artifact_paths: [],
      workflow_signal: null,
      retry_after_seconds: null,
      question: { text: "Which?", choices: [], expires_at: null, default: null }
    }
    expect(Object.keys(answer).sort()).toEqual([...required].sort())
    expect(Schema.decodeUnknownSync(Outcome)(answer).question?.text).toBe("Which?")
  })
})
