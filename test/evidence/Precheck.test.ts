import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import type { FixedFile } from "../../layers/context/FixedWorkspace.ts"
import { behind, firstHeading, precheck } from "../../src/evidence/Precheck.ts"
import { it } from "../support/effect.ts"
import { world } from "./claim.ts"

const names = (kind: string, payload: Record<string, unknown>, files: Readonly<Record<string, FixedFile>>) =>
  Effect.map(precheck({ kind, payload }), (issues) => issues.map((issue) => issue.split(":")[0])).pipe(
    Effect.provide(world(files))
  )
const GOAL = { proposal_artifact: "p.md", implementation_artifact: "i.md", verification_artifact: "v.md" }
const plan = { text: "# Plan for the wiki\n" }
const report = { text: "intro\n\n## Execution report\n" }

describe("the input check", () => {
  const check = (
    title: string,
    kind: string,
    files: Readonly<Record<string, FixedFile>>,
    ...expected: ReadonlyArray<string>
  ) =>
    it.effect(title, () =>
      Effect.gen(function* () {
        expect(yield* names(kind, GOAL, files)).toEqual([...expected])
      })
    )
  check("asks nothing of a plan", "goal-plan", {})
  check("asks nothing of other tasks", "operator", {})
  check("asks execute for the proposal alone", "goal-execute", { "p.md": plan })
  check("asks verify for both", "goal-verify", { "p.md": plan, "i.md": report })
  check("names what is missing", "goal-verify", { "p.md": plan }, "input_missing")
  check("names what is empty", "goal-execute", { "p.md": { text: " \n" } }, "input_empty")
  check("names what shows nothing", "goal-execute", { "p.md": { text: "\ufeff\u200b\n" } }, "input_empty")
  check("names what is a folder", "goal-execute", { "p.md/x": { text: "x" } }, "input_not_a_file")
  check(
    "refuses another phase's artifact",
    "goal-verify",
    { "p.md": report, "i.md": plan },
    "input_of_wrong_kind",
    "input_of_wrong_kind"
  )
  check(
    "refuses a verification as a plan",
    "goal-execute",
    { "p.md": { text: "# **Verify** it" } },
    "input_of_wrong_kind"
  )
  check("lets other headings and none pass", "goal-verify", {
    "p.md": { text: "# Wiki" },
    "i.md": { text: "text" }
  })

  it.effect("refuses a path that leaves the root, and a declaration that is none", () =>
    Effect.gen(function* () {
      expect(yield* names("goal-execute", { proposal_artifact: "../p.md" }, {})).toEqual(["input_refused"])
      expect(yield* names("goal-execute", { proposal_artifact: 7 }, {})).toEqual(["artifact_undeclared"])
    })
  )

  it.effect("tells what is wrong in a sentence", () =>
    Effect.gen(function* () {
      expect(yield* precheck({ kind: "goal-execute", payload: GOAL })).toEqual([
        'input_of_wrong_kind: the input artifact "p.md" (proposal_artifact) begins with the heading "Execution report", which is that of another phase; expected the artifact of the phase "plan".'
      ])
    }).pipe(Effect.provide(world({ "p.md": report })))
  )
})

test("issues stand behind a reason with each name once, and without the reason's own", () => {
  const missing = [
    "input_missing: A is not there.",
    "input_empty: B is empty.",
    "input_missing: C is not there."
  ]
  expect(behind("input_missing", missing.slice(0, 1))).toBe("A is not there.")
  expect(behind("input_missing", missing)).toBe("A is not there. C is not there. input_empty: B is empty.")
  expect(behind("input_missing", ["input_empty: A: B is empty.", "input_empty: C is empty."])).toBe(
    "input_empty: A: B is empty. C is empty."
  )
})

test.each([
  ["# Plan", "Plan"],
  ["\uFEFF# Plan", "Plan"],
  ["text\r\n\r\n### `Execut`ion ###\r\n", "Execution"],
  ["Plan of it\n=====\n", "Plan of it"],
  ["```\n# Verify\n```\n# Plan", "Plan"],
  ["~~~~\n```\n# Verify\n~~~\n# Verify\n~~~~\n# Plan", "Plan"],
  ["#Plan\n####### Plan\n", undefined],
  ["no heading", undefined],
  ["====\n", undefined],
  [`${"#".repeat(60_000)}`, undefined]
])("the first heading of %j is %p", (text, heading) => {
  expect(Option.getOrUndefined(firstHeading(text))).toBe(heading as never)
})
