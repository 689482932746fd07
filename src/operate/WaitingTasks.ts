import { Effect, Option, Schema } from "effect"
import { Task, type TaskStatus } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Waiting } from "./answers/Waiting.ts"
import { operation } from "./Operation.ts"
import { type ListInput, list } from "./Tasks.ts"
import { waiting } from "./Waiting.ts"

const UNFINISHED: ReadonlyArray<TaskStatus> = ["blocked", "retryable_failure", "pending", "running"]

/**
 * A page of the task list with why each task waits; those that wait for nothing are left out of it. Where no
 * status is asked for it is the unfinished ones.
 */
export const waitingTasks = operation({
  name: "tasks.waiting",
  role: "read",
  output: wireStruct({
    tasks: Schema.Array(Schema.extend(Task, wireStruct({ waiting: Waiting }))),
    next: nullable(Schema.String)
  }),
  run: traced("WaitingTasks.waitingTasks")(function* (input: ListInput, actor) {
    const status = input.status.length === 0 ? UNFINISHED : input.status
    const page = yield* list.run({ ...input, status }, actor)
    const found = yield* Effect.forEach(
      page.tasks,
      (task) =>
        Effect.map(
          waiting(task),
          Option.map((why) => ({ ...task, waiting: why }))
        ),
      // A probe that nobody answers is waited for once, not once for each task.
      { concurrency: "unbounded" }
    )
    return { tasks: found.flatMap(Option.toArray), next: page.next }
  })
})
