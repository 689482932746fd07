import { expect, test } from "bun:test"
import { Schema } from "effect"
import { Template } from "../../src/domain/WorkflowTemplate.ts"
import { templateFaults } from "../../src/workflow/Faults.ts"
import { BUILT_IN } from "../../src/workflow/Templates.ts"

const sound = {
  name: "tidy",
  initial_state: "look",
  states: {
    look: {
      task: { kind: "look", payload: { place: "{{context.place | the desk}}" } },
      advance_on: { look: "seen" },
      on: { seen: "tidy" }
    },
    tidy: { task: { kind: "tidy" }, complete_on: ["tidy"] }
  }
}

const faultsOf = (template: unknown) =>
  templateFaults(Schema.decodeUnknownSync(Template)(template)).map(
    ({ at, expected, found }) => `${at.join(".")}: ${found}; ${expected}`
  )

const look = sound.states.look
const withLook = (state: object) => ({ ...sound, states: { ...sound.states, look: { ...look, ...state } } })

test("the built-in templates have no faults, nor has a small one", () => {
  for (const template of [...BUILT_IN, sound]) expect(faultsOf(template)).toEqual([])
})

test.each([
  ["a first state that is not there", { ...sound, initial_state: "nowhere" }, "initial_state"],
  ["a target that is not there", withLook({ on: { seen: "tidy", lost: "attic" } }), "states.look.on.lost"],
  ["a signal that leads nowhere", withLook({ advance_on: { look: "gone" } }), "states.look.advance_on.look"],
  ["no way on after its own task", withLook({ advance_on: {} }), "states.look.advance_on"],
  [
    "a reference to nothing",
    withLook({ task: { kind: "look", payload: { a: ["{{ctx.a}}"] } } }),
    "{{ctx.a}}"
  ],
  [
    "a reference that does not end",
    withLook({ task: { kind: "look", payload: { a: "to {{context.a" } } }),
    "{{context.a"
  ],
  [
    "a state that nothing leads to",
    { ...sound, states: { ...sound.states, attic: { task: { kind: "x" }, complete_on: ["x"] } } },
    "states.attic: a state that nothing leads to"
  ],
  [
    "a state that waits for a task it does not make",
    withLook({ task: undefined }),
    "states.look.task: no task"
  ]
])("a template with %s is at fault, and is told where", (_, template, expected) => {
  expect(faultsOf(JSON.parse(JSON.stringify(template))).join("\n")).toContain(expected)
})
