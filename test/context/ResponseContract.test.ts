import { describe, expect, test } from "bun:test"
import { Either, Schema } from "effect"
import { responseContract } from "../../src/context/ResponseContract.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { snakeCase } from "../../src/domain/Wire.ts"

const none = { allowFollowUpTasks: false, allowExternalMessages: false }
const contract = responseContract(none, [])
const example: unknown = JSON.parse(contract.slice(contract.lastIndexOf("\n") + 1))
const decode = Schema.decodeUnknownEither(Outcome)

describe("the response contract", () => {
  test("has an example that does not decode as an outcome, nor as an answer of goal-verify", () => {
    expect(Either.isLeft(decode(example))).toBe(true)
    const signals = ["continue", "complete", "revise_plan"]
    expect(signals).not.toContain(Reflect.get(Object(example), "status"))
    expect(signals).not.toContain(Reflect.get(Object(example), "machine_status"))
  })

  test("has an example that decodes once its choices are made", () => {
    expect(Either.isRight(decode({ ...Object(example), status: "completed", machine_status: "ok" }))).toBe(
      true
    )
  })

  test("has no other object that decodes", () => {
    const objects = [...contract.matchAll(/\{[^{}]*\}/g)].map(([text]) => text)
    const decoded = objects.filter((text) => {
      try {
        return Either.isRight(decode(JSON.parse(text)))
      } catch {
        return false
      }
    })
    expect(objects.length).toBeGreaterThan(1)
    expect(decoded).toEqual([])
  })

  test("names every field of the outcome, and which of them are needed", () => {
    const fields = [
      "status",
      "operatorSummary",
      "machineStatus",
      "fileChanges",
      "artifactPaths",
      "followUpTasks",
      "externalMessages",
      "workflowSignal",
      "retryAfterSeconds",
      "question"
    ].map(snakeCase)
    const listed = [...contract.matchAll(/^- (\w+)(\??): /gm)]
    expect(listed.map(([, name]) => name)).toEqual(fields)
    expect(listed.filter(([, , mark]) => mark === "").map(([, name]) => name)).toEqual([
      "status",
      "operator_summary",
      "machine_status"
    ])
  })

  test("offers the very words that the schema accepts", () => {
    expect(contract).toContain("completed | retryable_failure | permanent_failure | blocked")
    expect(contract).toContain("ok | needs_retry | blocked | failed")
  })

  test("gives the main result the profile's name", () => {
    expect(responseContract({ ...none, primaryOutput: "wiki page" }, [])).toContain("wiki page")
  })

  test("says whether follow-ups and messages are allowed", () => {
    expect(contract).toContain("follow_up_tasks stays empty")
    expect(contract).toContain("external_messages stays empty")
    const open = responseContract({ allowFollowUpTasks: true, allowExternalMessages: true }, [])
    expect(open).not.toContain("stays empty")
    expect(open).toContain("at most 20")
  })

  test("names the signals that are accepted", () => {
    expect(responseContract(none, ["go", "stop"])).toContain('"go", "stop"')
  })
})
