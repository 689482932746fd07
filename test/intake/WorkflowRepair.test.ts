import { describe, expect } from "bun:test"
import { Effect, Option, TestClock } from "effect"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { sweep } from "../../src/dispatch/Sweep.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { evaluateIdle } from "../../src/intake/WorkflowStep.ts"
import { Store } from "../../src/store/Store.ts"
import { says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import {
  eventsOf,
  inState,
  inTurn,
  lastTaskOf,
  OLGA,
  openWorkflow,
  placeOf,
  rounds,
  sql,
  storyOf,
  transition,
  workflowOf
} from "./workflowWorld.ts"

const own = { workflows: new Map([[rounds.name, rounds]]) }
const signals = (...given: ReadonlyArray<string>) =>
  inState({ verify: inTurn(given.map((workflow_signal) => ({ workflow_signal }))) })

/** Claims the best task for a dispatcher that is dead. */
const abandon = Effect.gen(function* () {
  const store = yield* Store
  yield* store.tasks.claim({
    lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
    attemptId: AttemptId.make("dead-attempt"),
    runnerId: RunnerId.make("dead:1:then"),
    host: "memory",
    stamp: { at: yield* now, actor: OLGA }
  })
})

describe("the boot sweep takes the workflow of a task along", () => {
  const once = world({ settings: { maxAttempts: 1 }, adapters: { local: says("x") } })

  it.effect("whose attempts are used up", () =>
    Effect.gen(function* () {
      const loop = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* abandon
      yield* sweep()
      expect((yield* placeOf(loop))[0]).toBe("stalled")
      expect((yield* placeOf(loop))[2]).toStartWith("attempts_used_up")
    }).pipe(Effect.provide(once))
  )

  it.effect("into a fresh round where its template has some", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      yield* abandon
      yield* sweep()
      expect(yield* placeOf(id)).toEqual(["active", "research-registration-flow", null])
      expect(yield* lastTaskOf(id)).toMatchObject({ status: "pending", attemptCount: 0 })
    }).pipe(Effect.provide(once))
  )

  it.effect("that an operator had asked to cancel", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* openWorkflow("wallet-onboarding")
      yield* abandon
      const { taskId } = yield* lastTaskOf(id)
      yield* store.tasks.requestCancel(taskId, Option.none(), { at: yield* now, actor: OLGA })
      yield* sweep()
      expect(yield* placeOf(id)).toEqual(["stalled", "research-registration-flow", "task_canceled"])
    }).pipe(Effect.provide(once))
  )
})

describe("the evaluation of workflows", () => {
  const quiet = world({ settings: own, adapters: { local: says("x") } })

  it.effect("makes the task that is missing, and writes nothing where none is", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      expect(yield* evaluateIdle()).toBe(0)
      yield* sql("DELETE FROM tasks")
      expect(yield* evaluateIdle()).toBe(1)
      expect(yield* storyOf(id)).toEqual(["research-registration-flow pending"])
      expect(yield* evaluateIdle()).toBe(0)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("takes the step that another program left out", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      yield* sql("UPDATE tasks SET status = 'completed', ready = 0, finished_at = created_at")
      yield* evaluateIdle()
      expect((yield* placeOf(id))[1]).toBe("draft-wallet-checklist")
      expect((yield* workflowOf(id)).context).toMatchObject({
        last_completed_task_kind: "wallet-registration-research"
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("gives a fresh round to a blocked task whose workflow nobody told, and waits for an answer", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      yield* sql("UPDATE tasks SET status = 'blocked', ready = 0")
      expect(yield* evaluateIdle()).toBe(1)
      expect(yield* storyOf(id)).toEqual(["research-registration-flow pending"])
      yield* sql("UPDATE tasks SET status = 'blocked', ready = 0")
      yield* sql(`INSERT INTO questions (question_id, task_id, attempt_id, text, choices_json, asked_at)
        SELECT 'q', task_id, 'a', 'Which?', '[]', created_at FROM tasks`)
      expect(yield* evaluateIdle()).toBe(0)
      expect((yield* placeOf(id))[0]).toBe("active")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("goes on with an adopted goal loop, whose plan is named by its task alone", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Respond", base_name: "old" })
      yield* sql(`UPDATE workflows SET context_json = '{"summary":"Respond"}'`)
      yield* runOnce
      expect(yield* placeOf(id)).toEqual(["active", "execute", null])
      expect((yield* lastTaskOf(id)).payload).toMatchObject({
        proposal_artifact: "plans/old-plan.md",
        implementation_artifact: "reports/old-execute-1.md"
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("does not take the task of an earlier iteration for that of the present one", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Respond", base_name: "old" })
      yield* runOnce
      yield* TestClock.adjust("1 minutes")
      yield* runOnce
      yield* TestClock.adjust("1 minutes")
      yield* runOnce
      expect((yield* placeOf(id))[1]).toBe("execute")
      // As a runtime leaves it that advances first and makes the task in its next cycle.
      yield* sql("DELETE FROM tasks WHERE status = 'pending'")
      yield* evaluateIdle()
      expect((yield* placeOf(id))[1]).toBe("execute")
      expect((yield* lastTaskOf(id)).payload).toMatchObject({ iteration: 2 })
    }).pipe(Effect.provide(world({ adapters: { local: signals("continue") } })))
  )

  it.effect("sets a damaged one aside as stalled, and goes on with the others", () =>
    Effect.gen(function* () {
      const [bad, good] = [yield* openWorkflow("rounds"), yield* openWorkflow("rounds", {}, { key: "l" })]
      yield* sql("DELETE FROM tasks")
      yield* sql(`UPDATE workflows SET context_json = 'x' WHERE id = ${bad}`)
      yield* evaluateIdle()
      expect((yield* placeOf(bad))[2]).toContain("context_json")
      expect(yield* eventsOf(bad, "workflow_stalled")).toHaveLength(1)
      expect(yield* eventsOf(bad, "record_quarantined")).toMatchObject([
        { table: "workflows", problem: expect.stringContaining("context_json") }
      ])
      expect(yield* storyOf(good)).toEqual(["look pending"])
      expect(yield* evaluateIdle()).toBe(0)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("stalls one whose template is not there; once it is back, a transition revives it", () =>
    Effect.gen(function* () {
      const settings = yield* RuntimeConfig
      const id = yield* openWorkflow("rounds")
      const away = { ...settings, workflows: new Map() }
      yield* Effect.provideService(runOnce, RuntimeConfig, away)
      expect(yield* placeOf(id)).toEqual(["stalled", "look", "template rounds is not configured"])
      expect(yield* transition(id, "tidy")).toMatchObject({ _tag: "Moved" })
      expect(yield* placeOf(id)).toEqual(["active", "tidy", null])
      expect(yield* storyOf(id)).toEqual(["look completed", "tidy pending"])
    }).pipe(Effect.provide(quiet))
  )

  const waiting = { ...rounds, states: { ...rounds.states, look: { on: { seen: "tidy" } } } }
  it.effect("leaves a state without a task to its operator, writing nothing", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("rounds")
      const before = yield* workflowOf(id)
      expect((yield* runOnce)._tag).toBe("Idle")
      expect(yield* workflowOf(id)).toEqual(before)
      yield* transition(id, "tidy")
      expect(yield* storyOf(id)).toEqual(["tidy pending"])
    }).pipe(
      Effect.provide(
        world({ settings: { workflows: new Map([["rounds", waiting]]) }, adapters: { local: says("x") } })
      )
    )
  )
})
