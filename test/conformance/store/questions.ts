import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { isOpen } from "../../../src/domain/AskedQuestion.ts"
import type { Question } from "../../../src/domain/Outcome.ts"
import { Store } from "../../../src/store/Store.ts"
import type { Move } from "../../../src/store/Tasks.ts"
import {
  actor,
  add,
  at,
  attemptId,
  claimed,
  complete,
  eventsOf,
  find,
  newest,
  nextQuestionId,
  outcome,
  questionId,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const block: Move = { _tag: "Block", outcome: Option.some(outcome("blocked")), error: "reported_blocked" }

/** Runs a task to the question of its attempt, as `Finish` does. */
const asks = (name: string, question: Partial<Question> = {}, seconds = 0, attempt = `${name}1`) =>
  Effect.gen(function* () {
    const store = yield* Store
    const questionId = yield* nextQuestionId
    const asked = { text: `${name}?`, choices: ["red", "blue"], ...question }
    yield* store.transact(
      "test",
      Effect.zipRight(
        settle(attempt, block, seconds),
        store.questions.ask(
          { questionId, taskId: taskId(name), attemptId: attemptId(attempt), question: asked },
          stampAt(seconds)
        )
      )
    )
  })

const asked = (name: string, question: Partial<Question> = {}, seconds = 0) =>
  add(name, {}, seconds).pipe(
    Effect.zipRight(claimed(`${name}1`, seconds)),
    Effect.zipRight(asks(name, question, seconds))
  )

const last = (name: string) =>
  Effect.flatMap(Store, ({ questions }) => Effect.map(questions.lastOf(taskId(name)), Option.getOrThrow))

const answer = (name: string, words: string, seconds = 0) =>
  Effect.gen(function* () {
    const { questions } = yield* Store
    return yield* questions.answer((yield* last(name)).questionId, words, stampAt(seconds))
  })

const page = (limit = 9, after = Option.none<string>()) =>
  Effect.flatMap(Store, ({ questions }) => Effect.map(questions.list({ limit, after }), Option.getOrThrow))

const texts = Effect.map(page(), ({ questions }) => questions.map((one) => one.text))

const standing = (name: string) =>
  Effect.flatMap(Store, ({ questions }) =>
    Effect.map(questions.standing(taskId(name)), (found) => found.map((one) => one.answer))
  )

/** Questions that attempts put to their operator. */
export const questions = (check: Sentence) => {
  check(
    "keeps what was asked, open, and tells it",
    Effect.gen(function* () {
      yield* asked("a", { default: "red", expiresAt: at(60) }, 5)
      const question = yield* last("a")
      expect(question).toMatchObject({
        taskId: "a",
        attemptId: "a1",
        text: "a?",
        choices: ["red", "blue"],
        defaultAnswer: Option.some("red"),
        answer: Option.none()
      })
      expect([text(question.askedAt), text(question.expiresAt)]).toEqual([text(at(5)), text(at(60))])
      expect(isOpen(question)).toBe(true)
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "question_asked",
        taskId: Option.some("a"),
        attemptId: Option.some("a1"),
        detail: {
          question_id: question.questionId,
          question: "a?",
          choices: ["red", "blue"],
          default: "red",
          expires_at: text(at(60))
        }
      })
    })
  )

  check(
    "lists open ones newest first, page by page",
    Effect.gen(function* () {
      for (const name of ["a", "b", "c"]) yield* asked(name)
      const first = yield* page(2)
      expect(first.questions.map((one) => one.text)).toEqual(["c?", "b?"])
      const second = yield* page(2, first.next)
      expect([second.questions.map((one) => one.text), second.next]).toEqual([["a?"], Option.none()])
      const { questions } = yield* Store
      expect(yield* questions.list({ limit: 2, after: Option.some("x") })).toEqual(Option.none())
      yield* answer("b", "red")
      expect(yield* texts).toEqual(["c?", "a?"])
    })
  )

  check(
    "answers once, and with that begins a fresh round of the task",
    Effect.gen(function* () {
      yield* asked("a")
      const answered = yield* answer("a", "blue", 9)
      expect(answered).toMatchObject({ _tag: "Answered", task: { status: "pending", attemptCount: 0 } })
      expect(yield* last("a")).toMatchObject({
        answer: Option.some("blue"),
        answeredBy: Option.some(actor),
        closedAt: Option.some(at(9))
      })
      expect((yield* find("a")).round.round).toBe(2)
      const { detail, eventType } = (yield* newest(1))[0]!
      expect(eventType).toBe("task_retried")
      expect(detail).toEqual({
        from: "blocked",
        round: 2,
        note: null,
        question_id: questionId(1),
        question: "a?",
        answer: "blue"
      })
      expect(yield* answer("a", "red", 10)).toEqual({ _tag: "NotOpen" })
      expect((yield* last("a")).answer).toEqual(Option.some("blue"))
      expect((yield* eventsOf("a")).filter((one) => one === "task_retried")).toHaveLength(1)
    })
  )

  check(
    "withdraws the question of a task that is canceled or retried without an answer, and says so",
    Effect.gen(function* () {
      const store = yield* Store
      yield* asked("a")
      yield* asked("b")
      yield* store.tasks.cancel(taskId("a"), Option.none(), stampAt(3))
      yield* store.tasks.retry(taskId("b"), Option.some("go on"), stampAt(3))
      for (const name of ["a", "b"]) {
        expect(yield* last(name)).toMatchObject({ closedAt: Option.some(at(3)), answer: Option.none() })
        expect(yield* answer(name, "red")).toEqual({ _tag: "NotOpen" })
        expect(yield* standing(name)).toEqual([])
      }
      expect((yield* newest(2)).map((one) => [one.eventType, one.detail.withdrawn_question_id])).toEqual([
        ["task_operator_canceled", questionId(1)],
        ["task_retried", questionId(2)]
      ])
      expect(yield* texts).toEqual([])
    })
  )

  check(
    "knows an open question as the last one, though the clock stood later when an earlier one was asked",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* asked("a")
      yield* answer("a", "blue", 9)
      yield* raw.run("UPDATE questions SET question_id = ?", questionId(99))
      yield* claimed("a2", 10)
      yield* asks("a", { text: "And now?" }, 10, "a2")
      expect(yield* last("a")).toMatchObject({ text: "And now?", closedAt: Option.none() })
    })
  )

  check(
    "lets answers stand until the task is begun anew after it completed or was canceled",
    Effect.gen(function* () {
      const store = yield* Store
      const retry = (seconds: number) => store.tasks.retry(taskId("a"), Option.none(), stampAt(seconds))
      yield* asked("a")
      yield* answer("a", "red", 1)
      yield* claimed("a2", 2)
      yield* asks("a", {}, 2, "a2")
      yield* answer("a", "blue", 3)
      yield* claimed("a3", 4)
      yield* settle("a3", block, 4)
      yield* retry(5)
      expect(yield* standing("a")).toEqual([Option.some("red"), Option.some("blue")])
      yield* claimed("a4", 6)
      yield* settle("a4", complete, 6)
      expect(yield* standing("a")).toHaveLength(2)
      yield* retry(7)
      expect(yield* standing("a")).toEqual([])
    })
  )

  check(
    "tells which have run out and when the next one will, and marks one once",
    Effect.gen(function* () {
      const store = yield* Store
      const next = Effect.map(store.questions.nextExpiry, text)
      const ranOut = (seconds: number) =>
        Effect.map(store.questions.ranOut(at(seconds)), (found) => found.map((one) => one.text))
      yield* asked("never")
      expect(yield* next).toBeNull()
      yield* asked("late", { expiresAt: at(90) })
      yield* asked("early", { expiresAt: at(60) })
      expect(yield* next).toBe(text(at(60)))
      expect([yield* ranOut(59), yield* ranOut(60), yield* ranOut(99)]).toEqual([
        [],
        ["early?"],
        ["early?", "late?"]
      ])
      const { questionId } = yield* last("early")
      expect(yield* store.questions.expire(questionId, stampAt(60))).toBe(true)
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "question_expired",
        taskId: Option.some("early"),
        detail: { question_id: questionId, question: "early?", default: null }
      })
      expect(yield* store.questions.expire(questionId, stampAt(61))).toBe(false)
      expect([yield* next, yield* ranOut(60)]).toEqual([text(at(90)), []])
      // It still waits for somebody, and may be answered.
      expect(yield* texts).toEqual(["early?", "late?", "never?"])
      expect((yield* answer("early", "red"))._tag).toBe("Answered")
      yield* answer("late", "red")
      expect(yield* store.questions.expire((yield* last("late")).questionId, stampAt(99))).toBe(false)
      expect(yield* next).toBeNull()
    })
  )

  check(
    "shows a question that another program has damaged, which can still be answered",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* asked("a")
      yield* raw.run("UPDATE questions SET choices_json = '{', expires_at = 'soon'")
      const [shown] = (yield* page()).questions
      expect(shown).toMatchObject({ text: "this record is damaged: choices_json is not JSON", choices: [] })
      expect((yield* answer("a", "red"))._tag).toBe("Answered")
    })
  )

  check(
    "has nothing to answer where its task no longer waits",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* asked("a")
      yield* raw.run("UPDATE tasks SET status = 'pending' WHERE task_id = 'a'")
      expect(yield* answer("a", "red")).toEqual({ _tag: "NotOpen" })
      expect(yield* last("a")).toMatchObject({ answer: Option.none() })
      expect(yield* texts).toEqual([])
      expect(yield* eventsOf("a")).not.toContain("task_retried")
    })
  )
}
