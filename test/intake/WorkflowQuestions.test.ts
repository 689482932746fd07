import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { expireQuestions, MOST_DEFAULTS } from "../../src/dispatch/Expiring.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import type { WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { evaluateIdle } from "../../src/intake/WorkflowStep.ts"
import { answer } from "../../src/operate/Questions.ts"
import { list, show } from "../../src/operate/Workflows.ts"
import { world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import {
  blocked,
  cancelTask,
  eventsOf,
  inTurn,
  lastTaskOf,
  OLGA,
  openWorkflow,
  placeOf,
  retryTask,
  runDry,
  sql,
  tasksOf
} from "./workflowWorld.ts"

const AT = "1970-01-01T00:05:00.000Z"
const timed: JsonObject = { text: "Which colour?", choices: ["red"], expires_at: AT }
const asks = (question: JsonObject) => blocked({ question })
const staged = (...answers: ReadonlyArray<JsonObject>) =>
  Effect.provide(world({ adapters: { local: inTurn(answers) } }))

const answered = (taskId: string) =>
  answer.run({ id: taskId, choice: Option.none(), text: Option.some("red") }, OLGA)

const waits = (id: WorkflowId) =>
  Effect.gen(function* () {
    const named = { id: Option.some(Number(id)), instanceKey: Option.none() }
    const page = { all: true, status: [], limit: 9, after: Option.none() }
    const shown = yield* Effect.flatMap(show.run(named, OLGA), Schema.encode(show.output))
    const listed = yield* Effect.flatMap(list.run(page, OLGA), Schema.encode(list.output))
    expect(listed.workflows[0]?.waits_for).toEqual(shown.waits_for)
    return shown.waits_for
  })

const STATE = "research-registration-flow"
const reasonOf = (taskId: string) =>
  `question_expired: nobody answered task ${taskId} by ${AT}; agent-runtime task-answer ${taskId} --text T lets it go on: Which colour?`

/** Opened, and its first task has asked. */
const asked = Effect.gen(function* () {
  const id = yield* openWorkflow("wallet-onboarding")
  expect(yield* runDry()).toBe(1)
  return { id, taskId: (yield* lastTaskOf(id)).taskId }
})

describe("a workflow whose task asks", () => {
  it.effect("says what it waits for, and until when, for as long as it does", () =>
    Effect.gen(function* () {
      const { id, taskId } = yield* asked
      const told = { task_id: taskId, dedupe_key: null, question: "Which colour?", until: AT }
      expect(yield* waits(id)).toEqual(told)
      expect(yield* placeOf(id)).toEqual(["active", STATE, null])
      yield* answered(taskId)
      expect(yield* waits(id)).toBeNull()
      expect(yield* runDry()).toBe(2)
      expect((yield* placeOf(id))[0]).toBe("completed")
    }).pipe(staged(asks(timed), {}))
  )

  it.effect("stalls once when nobody answered in time, with no fresh round, and an answer revives it", () =>
    Effect.gen(function* () {
      const { id, taskId } = yield* asked
      yield* TestClock.adjust("1 hours")
      for (let cycle = 0; cycle < 3; cycle++) expect((yield* runOnce)._tag).toBe("Idle")
      const reason = reasonOf(taskId)
      expect(yield* placeOf(id)).toEqual(["stalled", STATE, reason])
      expect(yield* eventsOf(id, "workflow_stalled")).toEqual([{ workflow_id: id, state: STATE, reason }])
      expect((yield* tasksOf(id)).map(({ status }) => status)).toEqual(["blocked"])
      expect(yield* waits(id)).toBeNull()
      yield* answered(taskId)
      expect(yield* placeOf(id)).toEqual(["active", STATE, null])
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("completed")
    }).pipe(staged(asks(timed), {}))
  )

  it.effect("stalls with the mark of its question, in one step, and not where it is stalled already", () =>
    Effect.gen(function* () {
      const { id, taskId } = yield* asked
      yield* TestClock.adjust("1 hours")
      yield* expireQuestions()
      expect(yield* placeOf(id)).toEqual(["stalled", STATE, reasonOf(taskId)])
      yield* sql("UPDATE workflows SET stalled_reason = 'by hand'")
      yield* sql("UPDATE questions SET expired_at = NULL")
      yield* expireQuestions()
      expect(yield* placeOf(id)).toEqual(["stalled", STATE, "by hand"])
      expect(yield* eventsOf(id, "workflow_stalled")).toHaveLength(1)
    }).pipe(staged(asks(timed)))
  )

  it.effect("stalls so too where it asks with a time that is over already", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("goal-loop", { summary: "Quiet the pump" })
      yield* runDry()
      expect((yield* placeOf(id)).slice(0, 2)).toEqual(["stalled", "plan"])
    }).pipe(staged(asks({ ...timed, expires_at: "1970-01-01T00:00:00.000Z" })))
  )

  it.effect("is revived by a retry, and a cancel says that it stalls by that", () =>
    Effect.gen(function* () {
      const { id } = yield* asked
      yield* TestClock.adjust("1 hours")
      yield* runOnce
      yield* retryTask(yield* lastTaskOf(id))
      expect((yield* placeOf(id))[0]).toBe("active")
      yield* runDry()
      expect((yield* placeOf(id))[0]).toBe("stalled")
      yield* cancelTask(yield* lastTaskOf(id))
      expect(yield* placeOf(id)).toEqual(["stalled", STATE, "task_canceled"])
    }).pipe(staged(asks(timed), asks(timed)))
  )

  it.effect("goes on by a default, and stalls once that may not be the answer once more", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      expect(yield* runDry()).toBe(1 + MOST_DEFAULTS)
      const [status, state, reason] = yield* placeOf(id)
      expect([status, state]).toEqual(["stalled", STATE])
      expect(reason).toContain("and its default was the answer too often in a row")
      expect(yield* eventsOf(id, "workflow_stalled")).toHaveLength(1)
    }).pipe(staged(asks({ ...timed, expires_at: "1970-01-01T00:00:00.000Z", default: "red" })))
  )

  it.effect("is found by the evaluation where its question was marked and nobody told it", () =>
    Effect.gen(function* () {
      const { id, taskId } = yield* asked
      yield* sql(`UPDATE questions SET expired_at = '${AT}'`)
      expect(yield* evaluateIdle()).toBe(1)
      expect(yield* placeOf(id)).toEqual(["stalled", STATE, reasonOf(taskId)])
      expect(yield* evaluateIdle()).toBe(0)
      expect(yield* eventsOf(id, "workflow_stalled")).toHaveLength(1)
    }).pipe(staged(asks(timed)))
  )
})
