import { Effect } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"

/**
 * Puts the question of an attempt that reported itself blocked to the operator; a part of the transaction that ends
 * the attempt. What blocks a task otherwise asks nothing, whatever its outcome holds.
 */
export const ask = (
  attempt: { readonly taskId: TaskId; readonly attemptId: AttemptId },
  verdict: Verdict,
  stamp: Stamp
) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (verdict._tag !== "Blocked" || verdict.reason !== "reported_blocked") return
    const { question } = verdict.outcome
    if (question === undefined) return
    const { attemptId, taskId } = attempt
    yield* store.questions.ask({ taskId, attemptId, question }, stamp)
  })
