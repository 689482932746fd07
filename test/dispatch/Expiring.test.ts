import { describe, expect } from "bun:test"
import { Effect, Option, TestClock } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { answer as answerQuestion } from "../../src/operate/Questions.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { pause, quiet, runtime, told, whileDispatching } from "./resident.ts"
import { answer, attemptsOf, DOOR, detailsOf, eventsOf, queue, ran, taskOf, typesOf, world } from "./world.ts"

const asks = (question: Record<string, unknown>) =>
  answer({ status: "blocked", machine_status: "blocked", operator_summary: "Which?", question })

const inFiveMinutes = {
  text: "Which colour?",
  choices: ["red", "blue"],
  expires_at: "1970-01-01T00:05:00.000Z",
  default: "blue"
}

/** Asks in the first attempts, completes then; keeps the prompts. */
const asking = (...questions: ReadonlyArray<Record<string, unknown>>) => {
  const prompts: Array<string> = []
  const local: Scripted = ({ prompt }) =>
    Effect.sync(() => {
      const question = questions[prompts.length]
      prompts.push(prompt)
      return question === undefined ? answer() : asks(question)
    })
  return { prompts, adapters: { local } }
}

describe("a question that runs out", () => {
  it.effect("is answered by its default in the next cycle, which takes the task up at once", () => {
    const { adapters, prompts } = asking(inFiveMinutes)
    return Effect.gen(function* () {
      const id = yield* queue()
      expect((yield* ran).settled).toEqual({ _tag: "Settled", status: "blocked" })
      yield* TestClock.adjust("299 seconds")
      expect((yield* runOnce)._tag).toBe("Idle")
      yield* TestClock.adjust("1 seconds")
      expect((yield* ran).verdict._tag).toBe("Completed")
      expect((yield* typesOf(id)).filter((one) => /question|retried/.test(one))).toEqual([
        "question_asked",
        "question_expired",
        "task_retried"
      ])
      const event = (yield* eventsOf(id)).find((one) => one.eventType === "task_retried")
      expect(event?.actor.surface).toBe("dispatch")
      expect(event?.detail).toMatchObject({ question: "Which colour?", answer: "blue" })
      expect(prompts[1]).toContain("Nobody answered in time, so the default holds: blue")
    }).pipe(Effect.provide(world({ adapters })))
  })

  it.effect("stays blocked without a default, marked, and can still be answered", () => {
    const { adapters } = asking({ ...inFiveMinutes, default: null })
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("6 minutes")
      expect((yield* runOnce)._tag).toBe("Idle")
      expect((yield* runOnce)._tag).toBe("Idle")
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect((yield* typesOf(id)).filter((one) => one === "question_expired")).toHaveLength(1)
      expect(Option.getOrThrow(yield* waiting(task))).toEqual({
        reason: "answer",
        detail: "it waits for an answer, its question has expired: Which colour?",
        until: Option.none()
      })
      yield* answerQuestion.run({ id, choice: Option.some("red"), text: Option.none() }, DOOR.actor)
      expect((yield* ran).verdict._tag).toBe("Completed")
    }).pipe(Effect.provide(world({ adapters })))
  })

  it.effect("does so while dispatch is paused too; its task then waits for that", () => {
    const { adapters } = asking(inFiveMinutes)
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* pause("lunch")
      yield* TestClock.adjust("5 minutes")
      expect((yield* runOnce)._tag).toBe("Paused")
      expect((yield* taskOf(id)).status).toBe("pending")
    }).pipe(Effect.provide(world({ adapters })))
  })

  it.effect("keeps a task from going on by default for ever: the sixth time it waits for somebody", () => {
    const again = { text: "Again?", expires_at: "1970-01-01T00:00:00.000Z", default: "yes" }
    const { adapters, prompts } = asking(...Array(20).fill(again))
    return Effect.gen(function* () {
      const id = yield* queue()
      for (let cycle = 0; cycle < 10; cycle++) yield* runOnce
      expect(prompts).toHaveLength(6)
      expect((yield* taskOf(id)).status).toBe("blocked")
      expect(Option.getOrThrow(yield* waiting(yield* taskOf(id)))).toMatchObject({
        reason: "answer",
        detail: expect.stringContaining(
          "its default was the answer 5 times in a row, so that somebody has to"
        )
      })
      expect(yield* detailsOf(id, "question_expired")).toHaveLength(6)
      yield* answerQuestion.run({ id, choice: Option.none(), text: Option.some("no") }, DOOR.actor)
      for (let cycle = 0; cycle < 10; cycle++) yield* runOnce
      // A word of an operator's lets it go on alone as often again.
      expect(prompts).toHaveLength(12)
    }).pipe(Effect.provide(world({ adapters })))
  })

  it.effect("wakes the resident dispatcher by itself, at its very time", () => {
    const { adapters, prompts } = asking(inFiveMinutes)
    return whileDispatching(() =>
      Effect.gen(function* () {
        const id = yield* queue()
        yield* told("question_asked")
        yield* TestClock.adjust("299 seconds")
        yield* quiet
        expect((yield* taskOf(id)).status).toBe("blocked")
        yield* TestClock.adjust("1 seconds")
        yield* told("task_retried")
        while ((yield* taskOf(id)).status !== "completed") yield* Effect.yieldNow()
        expect(prompts).toHaveLength(2)
      })
    ).pipe(Effect.provide(runtime({ adapters })))
  })
})

describe("a question of an attempt", () => {
  it.effect("is put to the operator bounded, and what was left out is an issue of the attempt", () => {
    const { adapters } = asking({ text: "Which?", choices: ["a"], default: "b" })
    return Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* ran
      expect(Option.getOrThrow(yield* store.questions.lastOf(id)).defaultAnswer).toEqual(Option.none())
      expect((yield* attemptsOf(id))[0]?.issues).toEqual([
        'question: its default "b" was left out, it is not among its choices'
      ])
      expect(Option.getOrThrow((yield* taskOf(id)).outcome).question).toEqual({
        text: "Which?",
        choices: ["a"]
      })
    }).pipe(Effect.provide(world({ adapters })))
  })

  it.effect("is not put where something else blocks its task", () => {
    const completes = answer({ question: { text: "Which?" }, artifact_paths: ["missing.md"] })
    return Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* ran
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect(yield* store.questions.lastOf(id)).toEqual(Option.none())
      expect(Option.getOrThrow(yield* waiting(task)).reason).toBe("operator")
    }).pipe(Effect.provide(world({ adapters: { local: () => Effect.succeed(completes) } })))
  })
})
