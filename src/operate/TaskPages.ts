import { Effect, Option } from "effect"
import type { Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { EndedPage, QueueReasons, TaskPage, type TaskRow } from "./answers/Tasks.ts"
import { operation } from "./Operation.ts"
import { badCursor } from "./Refusal.ts"
import type { ListInput } from "./Tasks.ts"
import { waiting } from "./Waiting.ts"

const rowOf = (task: Task): TaskRow => ({
  ...task,
  operatorSummary: Option.map(task.outcome, ({ operatorSummary }) => operatorSummary),
  machineStatus: Option.map(task.outcome, ({ machineStatus }) => machineStatus)
})

/** The tasks that wait, in the order in which they would be taken. */
export const upcoming = operation({
  name: "tasks.upcoming",
  role: "read",
  output: TaskPage,
  run: traced("TaskPages.upcoming")(function* ({ limit }: { readonly limit: number }) {
    const store = yield* Store
    return { tasks: (yield* store.tasks.upcoming(limit, yield* now)).map(rowOf), next: Option.none<string>() }
  })
})

/** What each of the tasks waits for that would be taken first. */
export const reasons = operation({
  name: "tasks.reasons",
  role: "read",
  output: QueueReasons,
  run: traced("TaskPages.reasons")(function* ({ limit }: { readonly limit: number }) {
    const store = yield* Store
    const found = yield* Effect.forEach(
      yield* store.tasks.upcoming(limit, yield* now),
      (task) =>
        Effect.map(
          waiting(task),
          Option.map((why) => ({ taskId: task.taskId, waiting: why }))
        ),
      // A probe that nobody answers is waited for once, not once for each task.
      { concurrency: "unbounded" }
    )
    return { reasons: found.flatMap(Option.toArray) }
  })
})

/** The tasks that are blocked, those first that have been so longest, a page at a time. */
export const blocked = operation({
  name: "tasks.blocked",
  role: "read",
  output: TaskPage,
  run: traced("TaskPages.blocked")(function* (input: {
    readonly limit: number
    readonly after: Option.Option<string>
  }) {
    const store = yield* Store
    const found = yield* store.tasks.blocked(input)
    if (Option.isNone(found)) return yield* badCursor(input.after)
    return { tasks: found.value.tasks.map(rowOf), next: found.value.next }
  })
})

/** The tasks that have ended, those first that ended last, with what they used, a page at a time. */
export const ended = operation({
  name: "tasks.ended",
  role: "read",
  output: EndedPage,
  run: traced("TaskPages.ended")(function* (input: {
    readonly limit: number
    readonly after: Option.Option<string>
  }) {
    const store = yield* Store
    const found = yield* store.tasks.ended(input)
    if (Option.isNone(found)) return yield* badCursor(input.after)
    const { next, tasks } = found.value
    const last = yield* store.attempts.lastOfTasks(tasks.map(({ taskId }) => taskId))
    const rows = tasks.map((task) => ({
      ...rowOf(task),
      usage: Option.map(Option.fromNullable(last.get(task.taskId)), ({ usage }) => usage)
    }))
    return { tasks: rows, next }
  })
})

/** Tasks by filter and words, newest first, a page at a time, as people look through them. */
export const page = operation({
  name: "tasks.page",
  role: "read",
  output: TaskPage,
  run: traced("TaskPages.page")(function* (input: ListInput & { readonly words: Option.Option<string> }) {
    const store = yield* Store
    const found = yield* Option.match(input.words, {
      onNone: () => store.tasks.list(input, input, "shortened"),
      onSome: (words) => store.tasks.search(input, words, input)
    })
    if (Option.isNone(found)) return yield* badCursor(input.after)
    const { next, partial, tasks } = found.value
    return { tasks: tasks.map(rowOf), next, ...(partial ? { partial: true as const } : {}) }
  })
})
