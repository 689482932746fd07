import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { RUNNER } from "../../layers/Memory.ts"
import { answer, list } from "../../src/operate/Questions.ts"
import { cancel, retry } from "../../src/operate/Tasks.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { answer as answers, DOOR, detailsOf, queue, ran, taskOf, typesOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const question = { text: "Which colour?", choices: ["red", "blue"], expires_at: "1970-01-01T00:05:00Z" }

/** Asks this in turn, completes then; the prompts of all attempts. */
const asking = (...turns: ReadonlyArray<Record<string, unknown>>) => {
  const prompts: Array<string> = []
  const local: Scripted = ({ prompt }) =>
    Effect.sync(() => {
      const turn = turns[prompts.length]
      prompts.push(prompt)
      return answers(turn ?? {})
    })
  const profiles = new Map([["lumen", profile({ context_policy: { include_last_failure: true } })]])
  return { prompts, layer: world({ adapters: { local }, settings: { profiles } }) }
}

const blocked = (asked: Record<string, unknown> = question) => ({
  status: "blocked",
  machine_status: "blocked",
  operator_summary: "I cannot decide.",
  question: asked
})

const listed = (limit = 50, after = Option.none<string>()) =>
  Effect.flatMap(list.run({ limit, after }, DOOR.actor), Schema.encode(list.output))

const given = (id: string, how: { readonly choice?: string; readonly text?: string }, name = "olga") =>
  Effect.flatMap(
    answer.run(
      { id, choice: Option.fromNullable(how.choice), text: Option.fromNullable(how.text) },
      { surface: "cli", name }
    ),
    Schema.encode(answer.output)
  )

describe("an answer", () => {
  it.effect("begins a fresh round at once and stands in its prompts, until the task has ended", () => {
    const { layer, prompts } = asking(blocked(), {
      status: "retryable_failure",
      machine_status: "needs_retry"
    })
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* listed()).toEqual({
        questions: [
          {
            task_id: id,
            text: "Which colour?",
            choices: ["red", "blue"],
            asked_at: "1970-01-01T00:00:00.000Z",
            expires_at: "1970-01-01T00:05:00.000Z",
            default: null,
            expired: false
          }
        ],
        next: null
      })
      expect(yield* given(id, { choice: "blue" })).toEqual({
        ok: true,
        task_id: id,
        status: "pending",
        question: "Which colour?",
        answer: "blue"
      })
      expect((yield* listed()).questions).toEqual([])
      yield* ran
      yield* TestClock.adjust("10 minutes")
      yield* ran
      expect((yield* taskOf(id)).status).toBe("completed")
      expect(prompts).toHaveLength(3)
      expect(prompts[0]).not.toContain("Your operator answers")
      for (const prompt of prompts.slice(1))
        expect(prompt).toContain(
          '- Question: Which colour?\n  Offered: "red", "blue"\n  Your operator answers: blue'
        )
      // What was asked is no failure of the attempt that asked; what came of the second one is.
      expect(prompts[1]).not.toContain("What failed last time")
      expect(prompts[2]).toContain("- reason: reported_retryable_failure")
      yield* retry.run({ id, note: Option.none() }, DOOR.actor)
      yield* ran
      expect(prompts[3]).not.toContain("Your operator answers")
      // Nor is a success, whatever words it is recorded with.
      expect(prompts[3]).not.toContain("What failed last time")
    }).pipe(Effect.provide(layer))
  })

  it.effect("stands beside those of earlier rounds, through a retry after a failure", () => {
    const { layer, prompts } = asking(blocked(), blocked({ text: "How large?" }), {
      status: "blocked",
      machine_status: "blocked"
    })
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* given(id, { text: "green, neither of them" })
      yield* ran
      yield* given(id, { text: "ten feet" })
      yield* ran
      yield* retry.run({ id, note: Option.some("try once more") }, DOOR.actor)
      yield* ran
      expect(prompts[3]).toContain("Your operator answers: green, neither of them")
      expect(prompts[3]).toContain("Your operator answers: ten feet")
      expect(prompts[3]).toContain("try once more")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is refused where it was not offered, naming what is; in own words it may be anything", () => {
    const { layer } = asking(blocked(), blocked({ text: "How large?" }))
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* Effect.flip(given(id, { choice: "bleu" }))).toMatchObject({
        code: "choice_not_offered",
        message: `task ${id} offers "red", "blue", not "bleu"`,
        exitCode: 1
      })
      expect((yield* taskOf(id)).status).toBe("blocked")
      yield* given(id, { text: "bleu" })
      yield* ran
      expect(yield* Effect.flip(given(id, { choice: "ten" }))).toMatchObject({
        message: `task ${id} offers no choices, not "ten"`
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("is one: neither two nor none, and no empty words", () => {
    const { layer } = asking(blocked())
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      for (const [how, found] of [
        [{}, "neither choice nor text"],
        [{ choice: "red", text: "red" }, "both choice and text"],
        [{ text: " " }, '" "'],
        [{ text: "x".repeat(10_001) }, "x"]
      ] as const) {
        const refused = yield* Effect.flip(given(id, how))
        expect(refused._tag).toBe("Invalid")
        expect(JSON.stringify(refused)).toContain(JSON.stringify(found).slice(1, -1))
      }
      expect((yield* taskOf(id)).status).toBe("blocked")
    }).pipe(Effect.provide(layer))
  })

  it.effect("of two operators is that of the first; the second is told who, when and what", () => {
    const { layer } = asking(blocked())
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("1 minute")
      yield* given(id, { choice: "red" })
      const refused = yield* Effect.flip(given(id, { choice: "blue" }, "ben"))
      expect(refused).toMatchObject({
        code: "no_open_question",
        message: `task ${id} waits for no answer, it is pending: olga answered it at 1970-01-01T00:01:00.000Z: "red"`
      })
      expect((yield* detailsOf(id, "task_retried")).map((one) => one.answer)).toEqual(["red"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is refused where nothing is asked any more, or ever was", () => {
    const { layer } = asking(blocked())
    return Effect.gen(function* () {
      const id = yield* queue()
      expect(yield* Effect.flip(given(id, { text: "x" }))).toMatchObject({
        message: `task ${id} waits for no answer, it is pending: it has asked nothing`
      })
      yield* ran
      yield* cancel.run({ id, reason: Option.none(), force: false }, DOOR.actor)
      expect(yield* Effect.flip(given(id, { text: "x" }))).toMatchObject({
        message: `task ${id} waits for no answer, it is operator_canceled: its question was withdrawn`,
        exitCode: 1
      })
      expect(yield* Effect.flip(given("nonsense", { text: "x" }))).toMatchObject({ code: "task_not_found" })
      expect(yield* Effect.flip(listed(5, Option.some("x")))).toMatchObject({ code: "bad_cursor" })
    }).pipe(Effect.provide(layer))
  })
})

it.effect("a question whose time has run out is listed as such before any dispatcher has seen it", () => {
  const { layer } = asking(blocked())
  return Effect.gen(function* () {
    yield* queue()
    yield* ran
    yield* TestClock.adjust("5 minutes")
    expect((yield* listed()).questions).toMatchObject([{ expired: true }])
  }).pipe(Effect.provide(layer))
})

describe("an answer that comes after the question has run out, before any dispatcher has seen it", () => {
  it.effect("is refused where a default is the answer, and that holds", () => {
    const { layer, prompts } = asking(blocked({ ...question, default: "blue" }))
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("5 minutes")
      expect((yield* listed()).questions).toEqual([])
      expect(Option.getOrThrow(yield* waiting(yield* taskOf(id)))).toEqual({
        reason: "no_dispatcher",
        detail: expect.stringMatching(
          /^its question has expired and its default is the answer, .*: Which colour\?$/
        ),
        until: Option.none()
      })
      expect(yield* Effect.flip(given(id, { choice: "red" }))).toMatchObject({
        code: "no_open_question",
        message: `task ${id} waits for no answer, it is pending: ${RUNNER} answered it at 1970-01-01T00:05:00.000Z: "blue"`
      })
      expect((yield* listed()).questions).toEqual([])
      expect((yield* typesOf(id)).slice(-2)).toEqual(["question_expired", "task_retried"])
      yield* ran
      expect(prompts[1]).toContain("Nobody answered in time, so the default holds: blue")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is refused as answered also where it was not offered", () => {
    const { layer } = asking(blocked({ ...question, default: "blue" }))
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("6 minutes")
      expect(yield* Effect.flip(given(id, { choice: "green" }))).toMatchObject({ code: "no_open_question" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("is taken where there is no default, the question marked first", () => {
    const { layer } = asking(blocked())
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("5 minutes")
      expect((yield* given(id, { choice: "red" })).status).toBe("pending")
      expect((yield* typesOf(id)).slice(-2)).toEqual(["question_expired", "task_retried"])
      expect((yield* detailsOf(id, "task_retried")).map((one) => one.answer)).toEqual(["red"])
    }).pipe(Effect.provide(layer))
  })
})
