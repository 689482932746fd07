import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { now } from "../../src/domain/Time.ts"
import { MOST_CONTEXT_CHARACTERS, openNow } from "../../src/intake/Workflow.ts"
import { evaluateIdle } from "../../src/intake/WorkflowStep.ts"
import { list, show } from "../../src/operate/Workflows.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, history, queue, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import {
  completeNow,
  eventsOf,
  lastTaskOf,
  OLGA,
  openWorkflow,
  placeOf,
  rounds,
  runDry,
  storyOf,
  tasksOf,
  transition,
  workflowOf
} from "./workflowWorld.ts"

const keyed = {
  ...rounds,
  name: "keyed",
  states: {
    ...rounds.states,
    look: {
      ...rounds.states.look,
      task: {
        kind: "look",
        payload: {},
        dedupe_key: "place:{{context.place}}",
        priority: "{{context.priority | 7}}",
        max_attempts: "{{context.attempts | 2}}",
        schedule: { delay_minutes: "{{context.delay | 0}}" }
      }
    }
  }
}
const own = { workflows: new Map([rounds, keyed].map((one) => [one.name, one])) }
const quiet = world({ settings: own, adapters: { local: says("x") } })

describe("opening a workflow", () => {
  it.effect("queues the task of its first state, with the source and payload of the contract", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump", scope: ["pump"] })
      const [task] = yield* tasksOf(id)
      expect(task).toMatchObject({ kind: "goal-plan", source: `workflow:${id}:plan`, priority: 7 })
      expect(task?.payload).toMatchObject({
        objective: "Quiet the pump",
        workflow_id: id,
        workflow_template: "goal-loop",
        workflow_state: "plan",
        workflow_instance_key: "k"
      })
      expect(task?.requestedProfile).toEqual(Option.none())
      expect(yield* history).toEqual(["workflow_created", "task_enqueued", "workflow_task_created"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("makes nothing a second time for its key", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      const again = yield* openNow(
        { template: "wallet-onboarding", instanceKey: "k", state: Option.none(), context: {} },
        OLGA
      )
      expect(again).toMatchObject({ created: false, workflow: { id, template: "rounds" } })
      // What a new one would lack is no matter then; that there is no such template is.
      const bare = { template: "goal-loop", instanceKey: "k", state: Option.none(), context: {} }
      expect(yield* openNow(bare, OLGA)).toMatchObject({ created: false, workflow: { id } })
      expect((yield* Effect.flip(openNow({ ...bare, template: "goal-lop" }, OLGA)))._tag).toBe("Invalid")
      expect(yield* tasksOf(id)).toHaveLength(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("begins in the state that is named; in an end it is completed at once", () =>
    Effect.gen(function* () {
      const later = yield* openWorkflow("rounds", {}, { key: "a", state: "tidy" })
      expect(yield* storyOf(later)).toEqual(["tidy pending"])
      const over = yield* openWorkflow("rounds", {}, { key: "b", state: "end" })
      expect(yield* placeOf(over)).toEqual(["completed", "end", null])
      expect(yield* tasksOf(over)).toEqual([])
    }).pipe(Effect.provide(quiet))
  )

  const refused = (
    given: { template?: string; key?: string; state?: string; context?: JsonObject },
    words: string
  ) =>
    Effect.gen(function* () {
      const { context = {}, key = "k", state, template = "rounds" } = given
      const wrong = yield* Effect.flip(
        openNow({ template, instanceKey: key, state: Option.fromNullable(state), context }, OLGA)
      )
      expect(wrong._tag).toBe("Invalid")
      expect(wrong.message).toContain(words)
      expect(wrong.message.length).toBeLessThan(1_000)
      expect(yield* history).toEqual([])
    }).pipe(Effect.provide(quiet))

  for (const [what, given, words] of [
    ["an unknown template", { template: "goal-lop" }, "did you mean `goal-loop`?"],
    ["a template that is a word of the language", { template: "constructor" }, "template"],
    ["an unknown state", { state: "tidi" }, "did you mean `tidy`?"],
    ["a state that is a word of the language", { state: "__proto__" }, "state"],
    [
      "a blank key",
      { key: "  " },
      'instance_key: found "  "; expected text of 1 to 200 characters that is not blank'
    ],
    ["an endless key", { key: "k".repeat(100_000) }, "1 to 200 characters"],
    ["a context that nobody could keep", { context: { x: "y".repeat(MOST_CONTEXT_CHARACTERS) } }, "65,536"],
    [
      "a context that its task cannot use",
      { template: "keyed", context: { place: "p".repeat(600) } },
      "dedupe_key"
    ],
    ...[-3, 0, 1_001, 1.5, "10"].map(
      (most) =>
        [
          `max_iterations ${JSON.stringify(most)}`,
          { context: { max_iterations: most } },
          "an integer from 1 to 1000"
        ] as const
    ),
    ["a context that lacks what its task needs", { template: "keyed", context: { plaice: 1 } }, "`plaice`"]
  ] as const)
    it.effect(`is refused with ${what}, and nothing is made`, () => refused(given, words))

  it.effect("takes odd keys, markup and long lines of a context as what they are", () =>
    Effect.gen(function* () {
      const context = JSON.parse(
        '{"__proto__":{"max_iterations":1},"constructor":"c","place":"<b>{{context.constructor}}</b>"}'
      )
      const id = yield* openWorkflow("rounds", context)
      expect((yield* lastTaskOf(id)).payload.place).toBe("<b>{{context.constructor}}</b>")
      expect(JSON.stringify((yield* workflowOf(id)).context)).toBe(JSON.stringify(context))
      const long = yield* openWorkflow("goal-loop", { objective: "words\n".repeat(5_000) }, { key: "l" })
      const subject = Option.getOrThrow((yield* lastTaskOf(long)).subject)
      expect(subject).toStartWith("Plan: words words")
      expect(subject.length).toBe(200)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("takes values of no use in a goal loop's context as left out", () =>
    Effect.gen(function* () {
      const odd = {
        summary: "Go",
        scope: null,
        max_iterations: null,
        execution_iteration: "x",
        plan_artifact: null
      }
      const id = yield* openWorkflow("goal-loop", { ...odd, base_name: "go" })
      expect((yield* workflowOf(id)).context).toEqual({
        summary: "Go",
        objective: "Go",
        scope: [],
        max_iterations: 10,
        execution_iteration: 1,
        base_name: "go",
        plan_artifact: "plans/go-plan.md"
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("names a goal loop's artifacts like no other's, also of one summary in one moment", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(["A", "B"], (key) =>
        openWorkflow("goal-loop", { summary: "整える" }, { key })
      )
      const [one, other] = yield* Effect.forEach(ids, workflowOf)
      expect(one!.context.base_name).toMatch(/^\d{8}-\d{6}-\d{3}-[0-9a-z]+-goal$/)
      expect(other!.context.base_name).not.toBe(one!.context.base_name)
      expect(other!.context.plan_artifact).not.toBe(one!.context.plan_artifact)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("refuses a name that leads out of the folders of plans and reports", () =>
    Effect.gen(function* () {
      for (const base_name of ["../../x", "..", 7]) {
        const refused = yield* Effect.flip(openWorkflow("goal-loop", { summary: "Go", base_name }))
        expect(JSON.stringify(refused)).toContain("context.base_name")
      }
      yield* openWorkflow("goal-loop", { summary: "Go", base_name: "team/pump" })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("refuses values that a goal loop would pass over, each named by its key", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(
        openWorkflow("goal-loop", {
          summary: 5,
          objective: { x: 1 },
          scope: "docs alone",
          requested_profile: 7,
          plan_phase_skills: "planning",
          execute_phase_skills: [1],
          verify_execute_phase_skills: ["review"]
        })
      )
      expect(refused._tag === "Invalid" && refused.problems).toMatchObject([
        { path: "context.summary", found: "5", expected: "text" },
        { path: "context.objective", found: '{"x":1}', expected: "text" },
        { path: "context.scope", found: '"docs alone"', expected: "a list of texts" },
        { path: "context.requested_profile", found: "7", expected: "text" },
        { path: "context.plan_phase_skills", found: '"planning"', expected: "a list of texts" },
        { path: "context.execute_phase_skills", found: "[1]", expected: "a list of texts" }
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("refuses paths that no task may write, when it is opened as on its way", () =>
    Effect.gen(function* () {
      const { artifactDir } = yield* RuntimeConfig
      const path =
        "a path below the artifact root, relative to it and outside of adapter-runs, bundles and snapshots"
      const id = yield* openWorkflow("goal-loop", {
        summary: "Go",
        plan_artifact: `${artifactDir}/p/plan.md`
      })
      for (const plan_artifact of ["/etc/passwd", "../../etc/x", "bundles/x.md", "a/..", "a\0b", " ", 7])
        for (const move of [
          Effect.asVoid(openWorkflow("goal-loop", { plan_artifact }, { key: "other" })),
          Effect.asVoid(transition(id, "execute", { plan_artifact }))
        ]) {
          const refused = yield* Effect.flip(move)
          expect(refused._tag === "Invalid" && refused.problems).toMatchObject([
            { path: "context.plan_artifact", found: JSON.stringify(plan_artifact), expected: path }
          ])
        }
      expect(yield* Effect.flip(transition(id, "execute", { base_name: "../../x" }))).toMatchObject({
        problems: [{ path: "context.base_name" }]
      })
      expect(yield* placeOf(id)).toEqual(["active", "plan", null])
      yield* transition(id, "execute", { plan_artifact: "plans/other.md" })
      expect((yield* lastTaskOf(id)).payload.proposal_artifact).toBe("plans/other.md")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("refuses the like in the contexts of the other built-in templates, and no more than that", () =>
    Effect.gen(function* () {
      for (const [template, key, value] of [
        ["community-research", "output_path", "../x.md"],
        ["community-research", "outline_path", "/etc/x"],
        ["community-research", "slug", "../../x"],
        ["wallet-onboarding", "checklist_path", "snapshots/x.md"]
      ] as const) {
        const refused = yield* Effect.flip(openWorkflow(template, { [key]: value }))
        expect(refused._tag === "Invalid" && refused.problems.map((one) => one.path)).toEqual([
          `context.${key}`
        ])
      }
      const fit = { output_path: "wiki/basics.md", outline_path: "", slug: "aibtc", checklist_path: "/etc/x" }
      yield* openWorkflow("community-research", fit)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("takes numbers of the task from the context, or their defaults", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("keyed", { place: "desk", priority: 9 })
      expect(yield* lastTaskOf(id)).toMatchObject({
        priority: 9,
        maxAttempts: 2,
        dedupeKey: Option.some("place:desk")
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("waits for the task that holds its dedupe_key, and gets its own when the key is free", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const holder = yield* queue({ dedupeKey: "place:desk" })
      const id = yield* openWorkflow("keyed", { place: "desk" })
      yield* evaluateIdle()
      expect([yield* placeOf(id), yield* storyOf(id)]).toEqual([["active", "look", null], []])
      const waits = Effect.gen(function* () {
        const named = { id: Option.some(Number(id)), instanceKey: Option.none() }
        const page = { all: false, status: [], limit: 9, after: Option.none() }
        const shown = yield* Schema.encode(show.output)(yield* show.run(named, OLGA))
        const listed = yield* Schema.encode(list.output)(yield* list.run(page, OLGA))
        expect(listed.workflows[0]?.waits_for).toEqual(shown.waits_for)
        return shown.waits_for
      })
      expect(yield* waits).toEqual({
        task_id: holder,
        dedupe_key: "place:desk",
        question: null,
        until: null
      })
      yield* store.tasks.cancel(holder, Option.none(), { at: yield* now, actor: DOOR.actor })
      expect(yield* waits).toBeNull()
      yield* evaluateIdle()
      expect(yield* storyOf(id)).toEqual(["look pending"])
      // Its own task holds the key now.
      expect(yield* waits).toBeNull()
    }).pipe(Effect.provide(quiet))
  )
})

describe("an operator's transition", () => {
  it.effect("and a completion end what is unfinished first, and say of it what became of the state", () =>
    Effect.gen(function* () {
      const [left, ended] = [
        yield* openWorkflow("rounds"),
        yield* openWorkflow("rounds", {}, { key: "other" })
      ]
      yield* transition(left, "tidy")
      yield* completeNow(ended)
      const told = (yield* (yield* Store).events.newest(100)).flatMap(({ detail, eventType }) =>
        eventType === "task_operator_canceled"
          ? [detail.reason]
          : ["workflow_transitioned", "workflow_completed"].filter((type) => type === eventType)
      )
      expect(told).toEqual([
        "workflow k left the state look",
        "workflow_transitioned",
        "workflow other was completed in the state look",
        "workflow_completed"
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("cancels the waiting task of the state that is left and makes the next one", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      expect(yield* transition(id, "tidy", { place: "attic" })).toEqual(
        expect.objectContaining({ _tag: "Moved", from: "look", to: "tidy" })
      )
      expect(yield* storyOf(id)).toEqual(["look operator_canceled", "tidy pending"])
      expect((yield* workflowOf(id)).context).toEqual({ place: "attic" })
      expect(yield* eventsOf(id, "workflow_transitioned")).toEqual([
        { workflow_id: 1, from: "look", to: "tidy", signal: "seen" }
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("into the same state begins it anew", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      yield* transition(id, "look", { place: "attic" })
      expect(yield* storyOf(id)).toEqual(["look operator_canceled", "look pending"])
      expect((yield* lastTaskOf(id)).payload.place).toBe("attic")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("into an end completes it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds", {}, { state: "tidy" })
      yield* transition(id, "end")
      expect(yield* placeOf(id)).toEqual(["completed", "end", null])
      expect(yield* storyOf(id)).toEqual(["tidy operator_canceled"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("revives a stalled workflow", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds", {}, { state: "tidy" })
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("stalled")
      yield* transition(id, "look")
      expect(yield* placeOf(id)).toEqual(["active", "look", null])
    }).pipe(Effect.provide(quiet))
  )

  const refused = (to: string, words: string, context: JsonObject = {}) =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      const before = yield* history
      const told = yield* transition(id, to, context)
      expect(told._tag).toBe("Refused")
      expect(JSON.stringify(told)).toContain(words)
      expect(yield* history).toEqual(before)
      expect(yield* storyOf(id)).toEqual(["look pending"])
    }).pipe(Effect.provide(quiet))

  it.effect("is refused where no way leads", () => refused("end", "look leads to tidy, look, not to end"))
  it.effect("is refused for what is no state, with the likely one", () =>
    refused("tody", "did you mean `tidy`?")
  )
  it.effect("is refused for a word of the language", () => refused("constructor", "no state of rounds"))
  it.effect("is refused with a context that nobody could keep", () =>
    refused("tidy", "65,536", { x: "y".repeat(70_000) })
  )

  it.effect("and a completion are refused once it is completed, and answer nothing for an unknown one", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      expect(yield* completeNow(id)).toMatchObject({ _tag: "Moved", to: "look" })
      expect(yield* placeOf(id)).toEqual(["completed", "look", null])
      expect(yield* storyOf(id)).toEqual(["look operator_canceled"])
      expect((yield* completeNow(id))._tag).toBe("Refused")
      expect((yield* transition(id, "tidy"))._tag).toBe("Refused")
      expect((yield* transition(WorkflowId.make(id + 1), "tidy"))._tag).toBe("NotFound")
    }).pipe(Effect.provide(quiet))
  )
})
