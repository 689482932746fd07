import { Effect, Option } from "effect"
import { counted } from "../domain/Figure.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { type Door, taskWith } from "../intake/Enqueue.ts"
import { addFromOutside, MOST_UNFINISHED } from "../intake/OperatorLimit.ts"
import {
  OPERATOR_KIND,
  OPERATOR_SOURCE,
  type OperatorMessage,
  readMessage,
  toIntent,
  unknownParent
} from "../intake/OperatorMessage.ts"
import { Store } from "../store/Store.ts"
import { QueuedMessage } from "./answers/Tasks.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

/** The refusal of a task of an operator, whichever door it came to. */
export const tooManyOperatorTasks = new Refusal({
  code: "too_many_operator_tasks",
  message: `${counted(MOST_UNFINISHED)} tasks of operators (source ${OPERATOR_SOURCE}) are not finished; no more are taken until some are`
})

/** The task that a message answers, as the parent of the new one: a person begins a line of follow-ups anew. */
const parentOf = ({ parentId }: OperatorMessage) =>
  Effect.gen(function* () {
    if (parentId === undefined) return Option.none()
    const store = yield* Store
    const found = yield* store.tasks.find(parentId)
    if (Option.isNone(found)) return yield* unknownParent(parentId)
    const rootTaskId = Option.getOrElse(found.value.round.rootTaskId, () => parentId)
    return Option.some({ taskId: parentId, rootTaskId, generation: 0 })
  })

/** Queues what an operator wrote; refused while too many such tasks are unfinished. */
export const send = operation({
  name: "tasks.send",
  role: "operate",
  output: QueuedMessage,
  run: traced("Message.send")(function* (input: unknown, actor) {
    const message = yield* readMessage(input)
    const door: Door = { actor, untrusted: false, parent: yield* parentOf(message) }
    const id = TaskId.make(yield* (yield* IdSource).next)
    const at = yield* now
    const task = yield* taskWith(toIntent(message), door, id, at)
    const added = yield* addFromOutside(task, { at, actor }).pipe(
      Effect.catchTag("TooManyOperatorTasks", () => tooManyOperatorTasks)
    )
    return { ok: true as const, taskId: added.task.taskId, kind: OPERATOR_KIND, source: OPERATOR_SOURCE }
  })
})
