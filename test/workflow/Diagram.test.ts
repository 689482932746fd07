import { expect, test } from "bun:test"
import { Schema } from "effect"
import { Template } from "../../src/domain/WorkflowTemplate.ts"
import { mermaid } from "../../src/workflow/Diagram.ts"
import { BUILT_IN } from "../../src/workflow/Templates.ts"

const template = (initial_state: string, states: object) =>
  Schema.decodeUnknownSync(Template)({ name: "t", initial_state, states })

test("a diagram names every state and signal, and where it ends", () => {
  const goal = BUILT_IN.find(({ name }) => name === "goal-loop")!
  expect(mermaid(goal)).toBe(`stateDiagram-v2
  [*] --> plan
  plan --> execute: plan_ready
  execute --> verify: execute_ready
  verify --> execute: continue
  verify --> complete: complete
  verify --> plan: revise_plan
  complete --> [*]
`)
})

test("names that Mermaid cannot take stand in a description, each under a name of its own", () => {
  const drawn = mermaid(
    template("a-b", {
      "a-b": { on: { x: "a.b", y: "end" } },
      "a.b": { task: { kind: "k" }, complete_on: ["k"] },
      end: { on: { 'z: "%%{}': "a-b" } }
    })
  )
  expect(drawn).toBe(`stateDiagram-v2
  state "a-b" as s0_a_b
  state "a.b" as s1_a_b
  state "end" as s2_end
  [*] --> s0_a_b
  s0_a_b --> s1_a_b: x
  s0_a_b --> s2_end: y
  s1_a_b --> [*]
  s2_end --> s0_a_b: z     {}
`)
})
