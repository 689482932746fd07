import { Effect, Option } from "effect"
import { LeftOvers } from "../adapter/LeftOvers.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import { taskEnded } from "../intake/WorkflowStep.ts"
import { onFault } from "../store/OneBadRow.ts"
import { Store } from "../store/Store.ts"
import { Runner, stampNow } from "./Runner.ts"

/**
 * Ends the tasks that run in their record alone, no attempt of theirs being open: nobody would ever end them. Each is
 * set aside as `blocked`, for what became of its last attempt cannot be told; one whose end an operator had asked for
 * is canceled.
 */
export const endUnattended = Effect.gen(function* () {
  const store = yield* Store
  const found = yield* store.tasks.unattended
  if (found.length === 0) return
  const attempts = yield* store.attempts.lastOfTasks(found)
  yield* Effect.forEach(found, (taskId) => end(taskId, Option.fromNullable(attempts.get(taskId))), {
    discard: true
  })
})

const end = (taskId: TaskId, last: Option.Option<Attempt>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const survivors = Option.isSome(last) ? yield* leftOf(last.value) : []
    const stamp = yield* stampNow
    const nextTaskId = TaskId.make(yield* (yield* IdSource).next)
    const problem = problemOf(last, survivors)
    const isEnded = yield* store.transact(
      "Unattended.end",
      Effect.gen(function* () {
        const asked = yield* store.tasks.cancelRequested(taskId)
        const isDone =
          Option.isSome(asked) && survivors.length === 0
            ? (yield* store.tasks.requestCancel(taskId, asked.value.reason, {
                at: stamp.at,
                actor: asked.value.actor
              }))._tag === "Moved"
            : yield* store.tasks.setUnattendedAside(taskId, problem, stamp)
        if (isDone) yield* taskEnded(taskId, nextTaskId, stamp)
        return isDone
      })
    )
    if (isEnded)
      yield* Effect.logWarning(`Task ${taskId} was running without a running attempt and was ended`)
  }).pipe(
    onFault((fault) =>
      Effect.logError(`Task ${taskId}, which has no running attempt, cannot be ended`, fault)
    )
  )

const problemOf = (last: Option.Option<Attempt>, survivors: ReadonlyArray<string>): string => {
  const which = Option.match(last, {
    onNone: () => "it has none",
    onSome: ({ attemptId, status }) => `the last one, ${attemptId}, is ${status}`
  })
  const left = survivors.length === 0 ? "" : `; of its processes are left: ${survivors.join(", ")}`
  return `status: running, but no attempt of it is running: ${which}${left}`
}

/** Ends what is left of an attempt whose dispatcher is dead; one that lives looks after its own. */
const leftOf = (attempt: Attempt) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { lives, runnerId } = yield* Runner
    const others = yield* store.runners.open
    const own = others.find((one) => one.runnerId === attempt.runnerId)
    if (attempt.runnerId === runnerId || (own !== undefined && (yield* lives(own)))) return []
    const { attemptId } = attempt
    return yield* (yield* LeftOvers).sweep({ attemptId, pid: Option.none(), startTime: Option.none() })
  })
