import { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, QuestionId } from "../domain/Ids.ts"
import type { Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"

/**
 * Puts the question of an attempt that reported itself blocked to the operator; a part of the transaction that ends
 * the attempt. What blocks a task otherwise asks nothing, whatever its outcome holds; nor does a replay, whose
 * recorded prompt could not be told the answer.
 */
export const ask = ({ attempt, round }: ClaimedTask, verdict: Verdict, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (verdict._tag !== "Blocked" || verdict.reason !== "reported_blocked") return
    const { question } = verdict.outcome
    if (question === undefined || Option.isSome(round.replayOf)) return
    const { attemptId, taskId } = attempt
    const questionId = QuestionId.make(yield* (yield* IdSource).next)
    yield* store.questions.ask({ questionId, taskId, attemptId, question }, stamp)
  })
