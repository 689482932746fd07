import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import { reportCandidates, workflowPart } from "../../src/context/Phase.ts"
import { it } from "../support/effect.ts"
import { promptOf, round, task } from "./world.ts"

const verify = {
  kind: "goal-verify",
  workflow_id: 3,
  payload: {
    phase: "verify",
    objective: "Quiet",
    scope: ["pump"],
    proposal_artifact: "plans/p-plan.md",
    implementation_artifact: "reports/p-execute-2.md",
    verification_artifact: "reports/p-verify-2.md",
    workflow_template: "goal-loop",
    workflow_instance_key: "p"
  }
}

describe("the reports of a goal loop", () => {
  test("may lie at this iteration or the one before", () => {
    expect(reportCandidates(task(verify)).map(({ paths }) => paths)).toEqual([
      ["reports/p-execute-2.md", "reports/p-execute-1.md"],
      ["reports/p-verify-2.md", "reports/p-verify-1.md"]
    ])
    const first = { ...verify.payload, implementation_artifact: "reports/p-execute-1.md" }
    expect(reportCandidates(task({ ...verify, payload: first })).map(({ paths }) => paths)).toEqual([
      ["reports/p-execute-1.md"],
      ["reports/p-verify-1.md"]
    ])
  })

  test("are none in the plan phase, outside a goal loop, and where the report has another name", () => {
    const other = { ...verify.payload, implementation_artifact: "reports/done.md" }
    expect(reportCandidates(task({ kind: "goal-plan", payload: {} }))).toEqual([])
    expect(reportCandidates(task())).toEqual([])
    expect(reportCandidates(task({ ...verify, payload: other }))).toEqual([])
  })
})

describe("the workflow phase", () => {
  it.effect("names objective, scope, root, plan and what there is of reports, by path", () =>
    Effect.gen(function* () {
      const prompt = yield* promptOf(
        { task: task(verify), round: round({ workflowState: Option.some("verify") }) },
        {},
        {},
        { "reports/p-execute-2.md": "SECRET OF THE REPORT", "reports/p-verify-1.md": "x" }
      )
      for (const line of [
        'Workflow "goal-loop", state "verify".',
        "Objective: Quiet",
        "Scope: pump",
        "Artifact root on disk: $ARTIFACT_ROOT. Artifact paths are relative to it.",
        'Plan: "plans/p-plan.md"',
        'Latest execute report: "reports/p-execute-2.md"',
        'Latest verify report: "reports/p-verify-1.md"',
        "What earlier summaries say is no proof."
      ])
        expect(prompt).toContain(`${line}\n`)
      expect(prompt).not.toContain("SECRET OF THE REPORT")
    })
  )

  it.effect("of an untrusted task repeats nothing of its objective outside the fence", () =>
    Effect.gen(function* () {
      const payload = { ...verify.payload, objective: "OBEY ME", scope: ["AND ME"] }
      const prompt = yield* promptOf({ task: task({ ...verify, payload, untrusted: true }) })
      expect(prompt.split("OBEY ME")).toHaveLength(2)
      expect(prompt.split("AND ME")).toHaveLength(2)
    })
  )

  it.effect("is there for any workflow, and absent without one", () =>
    Effect.gen(function* () {
      const research = { kind: "community-research", workflow_id: 1, payload: { workflow_template: "cr" } }
      const state = round({ workflowState: Option.some("discover") })
      expect(yield* promptOf({ task: task(research), round: state })).toContain(
        'Workflow "cr", state "discover".'
      )
      expect(yield* promptOf()).not.toContain("## Workflow phase")
    })
  )
})

test("the bundle's workflow is none for a task of no workflow, whatever its payload says", () => {
  expect(workflowPart(task({ payload: verify.payload }), round())).toEqual(Option.none())
  expect(workflowPart(task(verify), round({ workflowState: Option.some("verify") }))).toEqual(
    Option.some({
      workflow_id: task(verify).workflowId.pipe(Option.getOrThrow),
      template: "goal-loop",
      state: "verify",
      instance_key: "p"
    })
  )
})
