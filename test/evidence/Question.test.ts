import { describe, expect, test } from "bun:test"
import { Schema } from "effect"
import { Outcome } from "../../src/domain/Outcome.ts"
import { asking } from "../../src/evidence/Question.ts"

const put = (question: unknown, status = "blocked") => {
  const { outcome, remarks } = asking(
    Schema.decodeUnknownSync(Outcome)({
      status,
      operator_summary: "Which one?",
      machine_status: "blocked",
      question
    })
  )
  return { question: outcome.question, remarks }
}

describe("what an outcome asks", () => {
  test("is put as it was said", () => {
    const said = { text: "Which\none?", choices: ["a", "b"], default: "b" }
    expect(put(said)).toEqual({ question: said, remarks: [] })
    expect(put({ text: "Which?" })).toEqual({ question: { text: "Which?", choices: [] }, remarks: [] })
    expect(put({ text: "Which?", default: "x" }).question?.default).toBe("x")
    expect(put(null)).toEqual({ question: undefined, remarks: [] })
  })

  test("is left out, and that is told, where the outcome is not blocked or the text is blank", () => {
    for (const status of ["completed", "retryable_failure", "permanent_failure"])
      expect(put({ text: "Which?" }, status)).toEqual({
        question: undefined,
        remarks: ["question: left out, only an outcome that is blocked asks one"]
      })
    for (const text of [" \n", "\u200b", "\u3164 \u2800"])
      expect(put({ text })).toEqual({
        question: undefined,
        remarks: ["question: left out, its text is blank"]
      })
  })

  test("is nothing where a model filled every key with nothing: its work is not lost for that", () => {
    const empty = { text: "", choices: [""], expires_at: null, default: "" }
    expect(put(empty, "completed")).toEqual({ question: undefined, remarks: [] })
    expect(put({ ...empty, text: "Which?" })).toEqual({
      question: { text: "Which?", choices: [] },
      remarks: []
    })
  })

  test("takes no default that nobody could have chosen", () => {
    expect(put({ text: "Which?", choices: ["a", "b"], default: "A" })).toEqual({
      question: { text: "Which?", choices: ["a", "b"] },
      remarks: ['question: its default "A" was left out, it is not among its choices']
    })
    expect(put({ text: "Which?", choices: ["a", "b"], default: " b " }).question?.default).toBe("b")
  })

  test("is as long as can be shown: text, choices, and how many of them", () => {
    const { question, remarks } = put({
      text: `😀${"x".repeat(9_000)}`,
      choices: ["y".repeat(900), ...Array.from({ length: 30 }, (_, index) => `c${index}`), "c0", "  "],
      default: "c25"
    })
    expect([question?.text.length, question?.choices.length, question?.choices[0]?.length]).toEqual([
      4_000, 20, 500
    ])
    expect(question?.text.endsWith("x…")).toBe(true)
    expect(remarks).toEqual([
      "question: 31 choices, of which the first 20 are offered",
      'question: its default "c25" was left out, it is not among its choices'
    ])
  })

  test("acts upon no terminal", () =>
    expect(put({ text: "\u001b[2JWhich\u0000?", choices: ["\u0007a"] }).question).toEqual({
      text: "[2JWhich?",
      choices: ["a"]
    }))
})
