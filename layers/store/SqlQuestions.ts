import { DateTime, Effect, Either, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { AskedQuestion } from "../../src/domain/AskedQuestion.ts"
import type { QuestionId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Answered, Questions } from "../../src/store/Questions.ts"
import { json, stamped, time } from "./columns.ts"
import { pageById, startOf } from "./idCursor.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { retry } from "./SqlMoves.ts"
import { withdraw } from "./SqlWithdraw.ts"
import { statement } from "./statement.ts"

const ASK = statement(`
  INSERT INTO questions (question_id, task_id, attempt_id, text, choices_json, default_answer, asked_at, expires_at)
  VALUES (:questionId, :taskId, :attemptId, :text, :choices, :default, :at, :expiresAt)`)
const FIND = statement("SELECT * FROM questions WHERE question_id = :id")
// The open one is the last whatever the clock of a process before said when it gave its ids.
const LAST_OF = statement(`
  SELECT * FROM questions WHERE question_id = coalesce(
    (SELECT question_id FROM questions WHERE task_id = :taskId AND closed_at IS NULL),
    (SELECT question_id FROM questions WHERE task_id = :taskId ORDER BY question_id DESC LIMIT 1))`)
const LIST = statement(`
  SELECT * FROM questions WHERE closed_at IS NULL AND question_id < :before ORDER BY question_id DESC LIMIT :limit`)
const STANDING = statement(`
  SELECT * FROM questions WHERE task_id = :taskId AND standing = 1 AND answered_at IS NOT NULL
  ORDER BY question_id DESC LIMIT 20`)
const ANSWER = statement(`
  UPDATE questions SET answer = :answer, answered_at = :at, answered_by_json = :actor, closed_at = :at
  WHERE question_id = :questionId AND closed_at IS NULL RETURNING *`)
const TAKE_BACK = statement(`
  UPDATE questions SET answer = NULL, answered_at = NULL, answered_by_json = NULL WHERE question_id = :questionId`)
const RAN_OUT = statement(`
  SELECT * FROM questions
  WHERE closed_at IS NULL AND expired_at IS NULL AND expires_at IS NOT NULL AND expires_at <= :now
  ORDER BY expires_at LIMIT 100`)
const EXPIRE = statement(`
  UPDATE questions SET expired_at = :at
  WHERE question_id = :questionId AND closed_at IS NULL AND expired_at IS NULL RETURNING *`)
const NEXT_EXPIRY = statement(`
  SELECT expires_at FROM questions WHERE closed_at IS NULL AND expired_at IS NULL AND expires_at IS NOT NULL
  ORDER BY expires_at LIMIT 1`)

const BY_ID = { mark: "questions", find: FIND }

type Sql = Sqlite["Type"]

const read = reader("questions", "question_id", AskedQuestion)
// A question that does not decode is shown with what is wrong, so that its task is not waited for unseen.
const salvaged = salvager(
  AskedQuestion,
  {
    question_id: "unreadable",
    task_id: "unreadable",
    attempt_id: "unreadable",
    choices: [],
    asked_at: EPOCH
  },
  (problem) => ({ text: `this record is damaged: ${problem}` })
)
const shown = (row: Row): AskedQuestion =>
  Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const answer = (sqlite: Sql, questionId: QuestionId, text: string, stamp: Stamp) =>
  sqlite.transact(
    "Questions.answer",
    Effect.gen(function* () {
      const row = (yield* sqlite.rows(ANSWER, { questionId, answer: text, ...stamped(stamp) }))[0]
      if (row === undefined) return { _tag: "NotOpen" } satisfies Answered
      const question = shown(row)
      const told = { question_id: questionId, question: question.text, answer: text }
      const moved = yield* retry(sqlite, question.taskId, Option.none(), stamp, told)
      if (moved._tag === "Moved") return { _tag: "Answered", task: moved.task, question } satisfies Answered
      // Its task no longer waits, as only another program can bring about: there is nothing to answer.
      yield* sqlite.rows(TAKE_BACK, { questionId })
      return { _tag: "NotOpen" } satisfies Answered
    })
  )

export const make = (sqlite: Sql): Questions => ({
  ask: traced("Questions.ask")(({ attemptId, question, questionId, taskId }, stamp) =>
    sqlite.transact(
      "Questions.ask",
      Effect.gen(function* () {
        const at = time(stamp.at)
        const expiresAt = question.expiresAt === undefined ? null : time(question.expiresAt)
        yield* withdraw(sqlite, taskId, at)
        yield* sqlite.rows(ASK, {
          questionId,
          taskId,
          attemptId,
          text: question.text,
          choices: json(question.choices),
          default: question.default ?? null,
          at,
          expiresAt
        })
        const detail = {
          question_id: questionId,
          question: question.text,
          choices: question.choices,
          default: question.default ?? null,
          expires_at: expiresAt
        }
        yield* appendEvent(sqlite, "question_asked", { taskId, attemptId }, detail, stamp)
      })
    )
  ),
  lastOf: traced("Questions.lastOf")((taskId) =>
    Effect.map(sqlite.rows(LAST_OF, { taskId }), ([row]) => Option.map(Option.fromNullable(row), shown))
  ),
  list: traced("Questions.list")(({ after, limit }) =>
    Effect.gen(function* () {
      const before = yield* startOf(sqlite, BY_ID, after)
      if (Option.isNone(before)) return Option.none()
      const rows = yield* sqlite.rows(LIST, { before: before.value, limit: limit + 1 })
      const page = pageById(BY_ID, rows, limit, (row) => String(row.question_id))
      return Option.some({ questions: page.shown.map(shown), next: page.next })
    })
  ),
  standing: traced("Questions.standing")((taskId) =>
    Effect.map(sqlite.rows(STANDING, { taskId }), (rows) => rows.map(shown).reverse())
  ),
  answer: traced("Questions.answer")((questionId, text, stamp) => answer(sqlite, questionId, text, stamp)),
  ranOut: traced("Questions.ranOut")((now) =>
    Effect.map(sqlite.rows(RAN_OUT, { now: time(now) }), (rows) => rows.map(shown))
  ),
  expire: traced("Questions.expire")((questionId, stamp) =>
    sqlite.transact(
      "Questions.expire",
      Effect.gen(function* () {
        const row = (yield* sqlite.rows(EXPIRE, { questionId, at: time(stamp.at) }))[0]
        if (row === undefined) return false
        const { defaultAnswer, taskId, text } = shown(row)
        const detail = { question_id: questionId, question: text, default: Option.getOrNull(defaultAnswer) }
        yield* appendEvent(sqlite, "question_expired", { taskId }, detail, stamp)
        return true
      })
    )
  ),
  nextExpiry: Effect.map(sqlite.rows(NEXT_EXPIRY), (rows) =>
    Option.firstSomeOf(rows.map((row) => Option.map(DateTime.make(String(row.expires_at)), DateTime.toUtc)))
  )
})
