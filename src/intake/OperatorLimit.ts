import { Data, Effect } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { Intent, NewTask } from "../domain/Task.ts"
import { Store } from "../store/Store.ts"
import { OPERATOR_SOURCE } from "./OperatorMessage.ts"

/** No more tasks of operators are taken while so many of them are not finished (SPEC.md section 15). */
export const MOST_UNFINISHED = 1_000

/** A task of an operator was not added, whichever door it came to. */
export class TooManyOperatorTasks extends Data.TaggedError("TooManyOperatorTasks") {}

const isOfOperators = ({ source }: Intent): boolean => source === OPERATOR_SOURCE

/** Whether an intent is one of operators, of whose tasks too many are unfinished to take another. */
export const isOneTooMany = (intent: Intent) =>
  Effect.gen(function* () {
    if (!isOfOperators(intent)) return false
    const store = yield* Store
    return (yield* store.tasks.unfinishedOfOperators(MOST_UNFINISHED)) >= MOST_UNFINISHED
  })

/**
 * Adds a task from outside as `Tasks.add` does. One of operators that is one too many fails instead, and with it the
 * transaction that this is a part of; a repeat of one that is there adds nothing and is answered.
 */
export const addFromOutside = (task: NewTask, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (!isOfOperators(task.intent)) return yield* store.tasks.add(task, stamp)
    return yield* store.transact(
      "OperatorLimit.add",
      Effect.gen(function* () {
        const isFull = yield* isOneTooMany(task.intent)
        const added = yield* store.tasks.add(task, stamp)
        return added.created && isFull ? yield* new TooManyOperatorTasks() : added
      })
    )
  })
