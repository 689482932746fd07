import { describe, expect, test } from "bun:test"
import { Either, Option, Schema } from "effect"
import { WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { Intent } from "../../src/domain/Task.ts"
import { Template } from "../../src/domain/WorkflowTemplate.ts"
import { taskOf } from "../../src/workflow/Machine.ts"
import { filled } from "../../src/workflow/References.ts"

const value = (template: unknown, context: JsonObject = {}) => Either.getOrThrow(filled(template, context))

/** The intent of a task as a template has it. */
const intentOf = (task: JsonObject, context: JsonObject = {}) => {
  const template = Schema.decodeUnknownSync(Template)({
    name: "t",
    initial_state: "a",
    states: { a: { task: { kind: "k", ...task } } }
  })
  const place = { id: WorkflowId.make(1), instanceKey: "k", currentState: "a", context }
  return Schema.decodeUnknownSync(Intent)(Option.getOrThrow(Either.getOrThrow(taskOf(template, place))))
}

describe("a default that is the whole value", () => {
  const cases: ReadonlyArray<readonly [given: string, value: unknown]> = [
    ["1", 1],
    ["-2.5", -2.5],
    ["0", 0],
    ["true", true],
    ["false", false],
    ["null", null],
    ["the week", "the week"],
    ["1.0.2", "1.0.2"],
    ["007", "007"],
    ["True", "True"],
    ["2026-04-29", "2026-04-29"],
    ['"1"', '"1"'],
    ["", ""],
    // The id of a channel: as a number it would be another one.
    ["12345678901234567890", "12345678901234567890"],
    ["1e9", "1e9"]
  ]
  for (const [given, expected] of cases)
    test(`is what JSON would have it: ${given === "" ? "nothing" : given}`, () =>
      expect(value(`{{context.n | ${given}}}`)).toEqual(expected))

  test("is of the type that the context's value has when it comes", () => {
    const draft = "{{context.draft_number | 1}}"
    expect([value(draft), value(draft, { draft_number: 2 })]).toEqual([1, 2])
    expect(value(draft, { draft_number: "2" })).toBe("2")
  })

  test("is text inside of other text, and beside `$first`", () => {
    expect(value("draft {{context.n | 1}}, {{context.last | false}}")).toBe("draft 1, false")
    expect(value({ $first: ["{{context.n}}", "1"] })).toBe("1")
  })
})

test("a task's own texts stay texts, whether a number comes by default or of the context; null leaves one out", () => {
  const task = {
    subject: "{{context.n | 7}}",
    description: "{{context.n | 7}}",
    requested_profile: "{{context.n | 7}}",
    dedupe_key: "{{context.n | 7}}",
    requested_model: "{{context.model | null}}",
    priority: "{{context.n | 7}}",
    payload: { n: "{{context.n | 7}}", model: "{{context.model | null}}" }
  }
  for (const [context, n] of [
    [{}, 7],
    [{ n: 9 }, 9]
  ] as const)
    expect(intentOf(task, context)).toMatchObject({
      subject: String(n),
      description: String(n),
      requestedProfile: `${n}`,
      dedupeKey: `${n}`,
      priority: n,
      payload: { n, model: null }
    })
  expect(intentOf(task).requestedModel).toBeUndefined()
})
