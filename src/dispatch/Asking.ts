import { Effect, Option, Schema } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { AttemptId, IdSource, QuestionId } from "../domain/Ids.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Round } from "../domain/Task.ts"
import type { Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"

/** The question of an attempt that reported itself blocked; what blocks a task otherwise asks nothing. */
const questionOf = (verdict: Verdict): Outcome["question"] =>
  verdict._tag === "Blocked" && verdict.reason === "reported_blocked" ? verdict.outcome.question : undefined

/**
 * Puts the question of an attempt that reported itself blocked to the operator; a part of the transaction that ends
 * the attempt. A replay asks nothing, see `unaskable`.
 */
export const ask = ({ attempt, round }: ClaimedTask, verdict: Verdict, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const question = questionOf(verdict)
    if (question === undefined || Option.isSome(round.replayOf)) return
    const { attemptId, taskId } = attempt
    const questionId = QuestionId.make(yield* (yield* IdSource).next)
    yield* store.questions.ask({ questionId, taskId, attemptId, question }, stamp)
  })

/** Why a question is not put to anybody, and what can be done about it. */
export interface Unaskable {
  readonly why: string
  readonly instead: string
}

const readId = Schema.decodeUnknownOption(AttemptId)

/** A replay's recorded prompt could be told no answer; none for a task that is no replay. */
export const unaskable = ({ replayOf }: Pick<Round, "replayOf">) =>
  Effect.gen(function* () {
    if (Option.isNone(replayOf)) return Option.none<Unaskable>()
    const store = yield* Store
    const attemptId = readId(replayOf.value)
    // What an attempt came to is not to be lost for the sake of a name in a sentence.
    const original = Option.isNone(attemptId)
      ? Option.none()
      : yield* Effect.catchTag(
          store.attempts.find(attemptId.value),
          "StoreUnavailable",
          () => Effect.succeedNone
        )
    return Option.some<Unaskable>({
      why: `its task replays attempt ${replayOf.value}, whose recorded prompt could be told no answer`,
      instead: Option.match(original, {
        onNone: () => "queue the work anew with what it needs to know",
        onSome: ({ taskId }) =>
          `agent-runtime task-retry ${taskId} --note TEXT tells it to the task that is replayed`
      })
    })
  })

/** The issue of an attempt whose question is not put to anybody: it is not dropped without a word. */
export const notAsked = ({ round }: ClaimedTask, verdict: Verdict) =>
  Effect.gen(function* () {
    if (questionOf(verdict) === undefined) return []
    return Option.match(yield* unaskable(round), {
      onNone: () => [],
      onSome: ({ instead, why }) => [`question_not_asked: ${why}; ${instead}`]
    })
  })
