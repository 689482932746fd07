import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { declared, isEvidencePath, isSummaryOnly } from "../../src/artifact/Declared.ts"

const paths = (kind: string, payload: Record<string, unknown>) => {
  const found = declared({ kind, payload })
  return {
    products: found.products.map((one) => `${one.role} ${one.path}`),
    inputs: found.inputs.map((one) => `${one.role} ${one.path}`),
    primary: Option.getOrUndefined(found.primary)?.path,
    problems: found.problems
  }
}
const GOAL = { proposal_artifact: "p.md", implementation_artifact: "i.md", verification_artifact: "v.md" }

describe("what a task declares", () => {
  test("nothing is a product of an empty payload", () => {
    expect(paths("anything", {})).toEqual({ products: [], inputs: [], primary: undefined, problems: [] })
  })

  test("the plan produces the proposal alone", () => {
    expect(paths("goal-plan", { ...GOAL, required_artifacts: ["p.md"] })).toMatchObject({
      products: ["proposal p.md"],
      inputs: [],
      primary: "p.md"
    })
  })

  test("execute builds on the proposal, which is no product even where it is required", () => {
    expect(
      paths("goal-execute", { ...GOAL, required_artifacts: ["./p.md", "i.md", "extra.md"] })
    ).toMatchObject({
      products: ["implementation i.md", "required extra.md"],
      inputs: ["proposal p.md"],
      primary: "i.md"
    })
  })

  test("verify builds on proposal and implementation", () => {
    expect(paths("goal-verify", GOAL)).toMatchObject({
      products: ["verification v.md"],
      inputs: ["proposal p.md", "implementation i.md"],
      primary: "v.md"
    })
  })

  test("the payload's phase counts before the kind's, and an unknown one is not a phase", () => {
    expect(paths("goal-plan", { ...GOAL, phase: "verify" }).primary).toBe("v.md")
    expect(paths("goal-plan", { ...GOAL, phase: "dreaming" }).primary).toBe("p.md")
    expect(paths("toString", { phase: "dreaming", output_path: "o.md" }).primary).toBe("o.md")
  })

  test("the output comes before the checklist, and that before the artifact of the phase", () => {
    expect(paths("goal-plan", { ...GOAL, checklist_path: "c.md", output_path: "o.md" })).toMatchObject({
      products: ["output o.md", "checklist c.md", "proposal p.md"],
      primary: "o.md"
    })
    expect(paths("goal-plan", { ...GOAL, checklist_path: "c.md" }).primary).toBe("c.md")
  })

  test("an older primary product is replaced, but not an artifact of a phase where there is none", () => {
    const replaces = (kind: string, payload: Record<string, unknown>) => declared({ kind, payload }).replaces
    expect(replaces("goal-plan", GOAL)).toBe(true)
    expect(replaces("research", { ...GOAL, phase: "execute" })).toBe(true)
    for (const key of ["output_path", "checklist_path"])
      expect(replaces("research", { ...GOAL, [key]: "o.md" })).toBe(true)
    expect(replaces("research", GOAL)).toBe(false)
    expect(replaces("research", { implementation_artifact: "i.md" })).toBe(false)
  })

  test("what is only required has no answer standing for it", () => {
    expect(paths("research", { required_artifacts: ["a.md"] })).toMatchObject({
      products: ["required a.md"],
      primary: undefined
    })
  })

  test.each([
    [{ output_path: 5 }, "payload.output_path is 5; expected a path relative to the artifact root"],
    [{ output_path: " " }, 'payload.output_path is " "; expected a path relative to the artifact root'],
    [{ required_artifacts: "a.md" }, 'payload.required_artifacts is "a.md"; expected a list of paths'],
    [
      { required_artifacts: ["a.md", {}] },
      "payload.required_artifacts[1] is {}; expected a path relative to the artifact root"
    ]
  ])("%j is named as what it is", (payload, problem) => {
    expect(paths("research", payload).problems).toEqual([problem])
  })

  test("null declares nothing", () => {
    expect(paths("research", { output_path: null, required_artifacts: null }).problems).toEqual([])
  })
})

test("summaries alone are the product of stories and replies", () => {
  expect(["github-story", "discord-reply", "operator"].map(isSummaryOnly)).toEqual([true, true, false])
})

test("the runtime's own folders are told by their first part", () => {
  expect(["bundles/a.json", "./adapter-runs", "x/../snapshots/a"].map(isEvidencePath)).toEqual([
    true,
    true,
    true
  ])
  expect(["bundles-of-joy/a.md", "wiki/bundles/a.md", ""].map(isEvidencePath)).toEqual([false, false, false])
})
