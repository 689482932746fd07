import { DateTime, Effect, Option, type Queue } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { type AskedQuestion, isExpired, isOpen } from "../domain/AskedQuestion.ts"
import type { TaskId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { questionExpired, taskRetried } from "../intake/WorkflowStep.ts"
import { onFault } from "../store/OneBadRow.ts"
import { Store } from "../store/Store.ts"
import { stampNow } from "./Runner.ts"
import { inRounds } from "./Wakes.ts"

/** So often in a row a task goes on by default; then it waits for somebody, for it may ask for ever. */
export const MOST_DEFAULTS = 5

/** Whether the last answers that stand for a task were all given by default, as many as may be. */
const goesOnAlone = (standing: ReadonlyArray<AskedQuestion>): boolean =>
  standing.length >= MOST_DEFAULTS &&
  standing
    .slice(-MOST_DEFAULTS)
    .every(({ answeredBy }) => Option.exists(answeredBy, ({ surface }) => surface === "dispatch"))

/** The default that is the answer once a question's time has run out; none where it has none, or had its turn too often. */
const answerAtEnd = ({ defaultAnswer, taskId }: AskedQuestion) =>
  Effect.gen(function* () {
    if (Option.isNone(defaultAnswer)) return defaultAnswer
    const store = yield* Store
    return goesOnAlone(yield* store.questions.standing(taskId)) ? Option.none() : defaultAnswer
  })

/** Whether an open question has run out by `at` and is only not yet answered by its default: no other answer is taken. */
export const isDecided = (question: AskedQuestion, at: DateTime.Utc) =>
  Option.isSome(question.expiredAt) || !isExpired(question, at)
    ? Effect.succeed(false)
    : Effect.map(answerAtEnd(question), Option.isSome)

const ranOut = (question: AskedQuestion, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { questionId, taskId } = question
    if (!(yield* store.questions.expire(questionId, stamp))) return
    const answer = yield* answerAtEnd(question)
    if (Option.isNone(answer)) return yield* questionExpired(taskId, stamp)
    const answered = yield* store.questions.answer(questionId, answer.value, stamp)
    if (answered._tag === "Answered") yield* taskRetried(taskId, stamp)
  })

/**
 * Lets the default answer the questions whose time has run out; those without one stay open, marked, and their
 * workflows are stalled. One that cannot be dealt with stops none of the others.
 */
export const expireQuestions = traced("Expiring.expireQuestions")(function* () {
  const store = yield* Store
  const stamp = yield* stampNow
  for (const one of yield* store.questions.ranOut(stamp.at))
    yield* store
      .transact("Expiring.ranOut", ranOut(one, stamp))
      .pipe(onFault((fault) => Effect.logError(`The question of task ${one.taskId} could not expire`, fault)))
})

/**
 * Does so for the question of one task, when its time has run out, for whoever must not be quicker than its default:
 * no dispatcher may be alive. Answers the moment that this was looked at: no question that is open and unmarked then
 * had run out.
 */
export const expireQuestionOf = traced("Expiring.expireQuestionOf")(function* (taskId: TaskId) {
  const store = yield* Store
  const stamp = yield* stampNow
  const last = yield* store.questions.lastOf(taskId)
  const due = Option.filter(last, (one) => isOpen(one) && isExpired(one, stamp.at))
  if (Option.isSome(due)) yield* store.transact("Expiring.ranOut", ranOut(due.value, stamp))
  return stamp.at
})

/** One that stays due whatever is done with it must not keep the store busy. */
const BETWEEN_ROUNDS = "100 millis"

/** Does so whenever the next one runs out, for as long as it is run. */
export const expiring = (wake: Queue.Queue<void>) =>
  inRounds(
    wake,
    Effect.gen(function* () {
      const store = yield* Store
      const due = yield* store.questions.nextExpiry
      if (!Option.exists(due, DateTime.lessThanOrEqualTo(yield* now))) return due
      yield* Effect.zipRight(expireQuestions(), Effect.sleep(BETWEEN_ROUNDS))
      return yield* store.questions.nextExpiry
    })
  )
