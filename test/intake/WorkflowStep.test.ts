import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import * as MemoryArtifacts from "../../layers/artifact/MemoryArtifacts.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { answer as answerQuestion } from "../../src/operate/Questions.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import {
  blocked,
  cancelTask,
  eventsOf,
  inState,
  inTurn,
  lastTaskOf,
  openWorkflow,
  placeOf,
  retryTask,
  rounds,
  runDry,
  sql,
  storyOf,
  tasksOf,
  transition,
  workflowOf
} from "./workflowWorld.ts"

const _own = { workflows: new Map([[rounds.name, rounds]]) }
const signals = (...given: ReadonlyArray<string>) =>
  inState({ verify: inTurn(given.map((workflow_signal) => ({ workflow_signal }))) })

describe("a goal loop", () => {
  it.effect("plans, executes and verifies until it is complete, its artifacts by iteration", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump", base_name: "pump" })
      expect(yield* runDry()).toBe(5)
      expect(yield* placeOf(id)).toEqual(["completed", "complete", null])
      expect(yield* storyOf(id)).toEqual(
        ["plan", "execute", "verify", "execute", "verify"].map((state) => `${state} completed`)
      )
      const { list } = yield* MemoryArtifacts.MemoryFiles
      const written = (yield* list).filter((path) => /^(plans|reports)\//.test(path))
      expect(written).toEqual([
        "plans/pump-plan.md",
        "reports/pump-execute-1.md",
        "reports/pump-execute-2.md",
        "reports/pump-verify-1.md",
        "reports/pump-verify-2.md"
      ])
      const { context } = yield* workflowOf(id)
      expect(context).toMatchObject({
        execution_iteration: 2,
        last_workflow_signal: "complete",
        last_completed_task_id: (yield* lastTaskOf(id)).taskId,
        last_completed_task_kind: "goal-verify",
        plan_artifact: "plans/pump-plan.md",
        base_name: "pump"
      })
      expect((yield* eventsOf(id, "workflow_transitioned")).map(({ from, to }) => `${from} ${to}`)).toEqual([
        "plan execute",
        "execute verify",
        "verify execute",
        "execute verify"
      ])
    }).pipe(Effect.provide(world({ adapters: { local: signals("continue", "complete") } })))
  )

  const asStatus = inState({
    verify: () => Effect.succeed({ lastMessage: '{"status":"complete","operator_summary":"all is well"}' })
  })
  it.effect("takes an accepted signal that stands as the status", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* runDry()
      expect(yield* placeOf(id)).toEqual(["completed", "complete", null])
    }).pipe(Effect.provide(world({ adapters: { local: asStatus } })))
  )

  it.effect("stalls on a signal that is not accepted, in a few words whatever the model said", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* runDry()
      const [status, state, reason] = yield* placeOf(id)
      expect([status, state]).toEqual(["stalled", "verify"])
      expect(reason).toContain("continue, complete, revise_plan")
      expect(String(reason).length).toBeLessThan(300)
    }).pipe(Effect.provide(world({ adapters: { local: signals("x".repeat(100_000)) } })))
  )

  it.effect("stalls after max_iterations, and an operator can let it go on", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump", max_iterations: 2 })
      expect(yield* runDry()).toBe(5)
      expect((yield* placeOf(id))[2]).toContain("max_iterations: 2")
      expect(yield* transition(id, "execute")).toMatchObject({
        _tag: "Refused",
        why: expect.stringContaining("max_iterations")
      })
      expect(yield* transition(id, "execute", { max_iterations: "3" })).toMatchObject({
        _tag: "Refused",
        why: 'context.max_iterations is "3": give an integer from 1 to 1000'
      })
      expect(yield* transition(id, "execute", { max_iterations: 3 })).toMatchObject({ _tag: "Moved" })
      expect(yield* placeOf(id)).toEqual(["active", "execute", null])
      expect((yield* lastTaskOf(id)).payload).toMatchObject({ iteration: 3 })
    }).pipe(Effect.provide(world({ adapters: { local: signals("continue") } })))
  )

  it.effect("does not retry a blocked state: it stalls with the reason of the task", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      expect(yield* runDry()).toBe(1)
      expect(yield* placeOf(id)).toEqual(["stalled", "plan", "reported_blocked: it needs a key"])
    }).pipe(Effect.provide(world({ adapters: { local: inTurn([blocked()]) } })))
  )
})

for (const [template, states] of [
  ["community-research", 5],
  ["wallet-onboarding", 2]
] as const)
  it.effect(`${template} runs to its end, a task a state`, () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow(template, { slug: "basics" })
      expect(yield* runDry()).toBe(states)
      expect((yield* placeOf(id))[0]).toBe("completed")
      const tasks = yield* tasksOf(id)
      expect(new Set(tasks.map((task) => task.source)).size).toBe(states)
      expect(tasks.map((task) => task.status)).toEqual(Array(states).fill("completed"))
      for (const task of tasks)
        expect(task.payload).toMatchObject({
          workflow_id: id,
          workflow_template: template,
          workflow_instance_key: "k"
        })
    }).pipe(Effect.provide(world({ adapters: { local: says("a finding") } })))
  )

describe("a blocked task", () => {
  it.effect("gets two fresh rounds at once, then the workflow stalls; a retry revives it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("community-research")
      expect(yield* runDry()).toBe(3)
      const task = yield* lastTaskOf(id)
      expect(yield* placeOf(id)).toEqual([
        "stalled",
        "discover-aibtc-basics",
        "reported_blocked: it needs a key"
      ])
      expect(yield* tasksOf(id)).toHaveLength(1)
      yield* retryTask(task)
      expect((yield* placeOf(id))[0]).toBe("active")
      // Its fresh rounds are counted anew.
      expect(yield* runDry()).toBe(3)
      expect((yield* placeOf(id))[0]).toBe("stalled")
      expect(yield* eventsOf(id, "workflow_stalled")).toHaveLength(2)
    }).pipe(Effect.provide(world({ adapters: { local: inTurn([blocked()]) } })))
  )

  it.effect("goes on with the workflow where a fresh round completes it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("completed")
    }).pipe(Effect.provide(world({ adapters: { local: inTurn([blocked(), blocked(), {}]) } })))
  )

  it.effect("that asks a question waits for the answer: the workflow is neither retried nor stalled", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      expect(yield* runDry()).toBe(1)
      expect((yield* placeOf(id))[0]).toBe("active")
      expect((yield* lastTaskOf(id)).status).toBe("blocked")
      yield* retryTask(yield* lastTaskOf(id))
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("completed")
    }).pipe(
      Effect.provide(world({ adapters: { local: inTurn([blocked({ question: { text: "Which?" } }), {}]) } }))
    )
  )

  it.effect("that asks again and again uses up none of its rounds: an answer is no failure", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* openWorkflow("wallet-onboarding")
      for (let asked = 1; asked <= 4; asked++) {
        expect(yield* runDry()).toBe(1)
        expect(yield* placeOf(id)).toEqual(["active", "research-registration-flow", null])
        const { taskId } = yield* lastTaskOf(id)
        yield* answerQuestion.run(
          { id: taskId, choice: Option.none(), text: Option.some(`answer ${asked}`) },
          DOOR.actor
        )
        expect(Option.map(yield* store.workflows.find(id), ({ retries }) => retries)).toEqual(Option.some(0))
      }
      // Now it is blocked without a question: the two fresh rounds are all still there.
      expect(yield* runDry()).toBe(3)
      expect((yield* placeOf(id))[0]).toBe("stalled")
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: inTurn([...Array(4).fill(blocked({ question: { text: "Which?" } })), blocked()])
          }
        })
      )
    )
  )

  it.effect("whose stalled workflow's question is answered takes the workflow along", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      yield* runDry()
      yield* sql("UPDATE workflows SET status = 'stalled', stalled_reason = 'by hand'")
      const { taskId } = yield* lastTaskOf(id)
      yield* answerQuestion.run({ id: taskId, choice: Option.none(), text: Option.some("x") }, DOOR.actor)
      expect((yield* placeOf(id))[0]).toBe("active")
    }).pipe(
      Effect.provide(world({ adapters: { local: inTurn([blocked({ question: { text: "Which?" } }), {}]) } }))
    )
  )

  it.effect("whose record is damaged takes its workflow along in the claim that finds it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* sql("UPDATE tasks SET payload_json = '[1'")
      expect((yield* runOnce)._tag).toBe("Idle")
      expect((yield* placeOf(id))[0]).toBe("stalled")
      expect((yield* placeOf(id))[2]).toContain("damaged")
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )
})

describe("a canceled task", () => {
  const quiet = world({ adapters: { local: says("x") } })

  it.effect("stalls its workflow; the retry of the task revives it", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      const task = yield* lastTaskOf(id)
      yield* cancelTask(task)
      expect(yield* placeOf(id)).toEqual(["stalled", "research-registration-flow", "task_canceled"])
      yield* retryTask(task)
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("completed")
      expect(yield* tasksOf(id)).toHaveLength(2)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("replaces the reason that its workflow was stalled by", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* runDry()
      yield* cancelTask(yield* lastTaskOf(id))
      expect(yield* placeOf(id)).toEqual(["stalled", "plan", "task_canceled"])
    }).pipe(Effect.provide(world({ adapters: { local: inTurn([blocked()]) } })))
  )
})

it.effect("what a sensor opened stays untrusted in every state", () =>
  Effect.gen(function* () {
    const id = yield* openWorkflow("wallet-onboarding", {}, { actor: { surface: "sensor", name: "s" } })
    yield* runDry()
    expect((yield* tasksOf(id)).map((task) => task.untrusted)).toEqual([true, true])
    expect(Option.getOrThrow((yield* lastTaskOf(id)).outcome).status).toBe("completed")
  }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
)
