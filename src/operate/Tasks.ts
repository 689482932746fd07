import { Effect, Option } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { declared } from "../artifact/Declared.ts"
import { normalise } from "../artifact/FilePath.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { Task, TaskStatus } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { taskEnded, taskRetried } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import type { Moved } from "../store/Tasks.ts"
import { MovedTask, TaskList, TaskStory } from "./answers/Tasks.ts"
import { cancelRunning } from "./ForceCancel.ts"
import { namedTask, taskNotFound } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { badCursor, Refusal } from "./Refusal.ts"
import { said } from "./Said.ts"
import { replayOf, replaysOf } from "./SideBySide.ts"
import { waiting } from "./Waiting.ts"

export interface ListInput {
  readonly status: ReadonlyArray<TaskStatus>
  readonly kind: Option.Option<string>
  readonly source: Option.Option<string>
  /** 1..500. */
  readonly limit: number
  readonly after: Option.Option<string>
}

/** Tasks by filter, newest first, a page at a time. */
export const list = operation({
  name: "tasks.list",
  role: "read",
  output: TaskList,
  run: traced("Tasks.list")(function* (input: ListInput) {
    const store = yield* Store
    const page = yield* store.tasks.list(input, input, "whole")
    if (Option.isNone(page)) return yield* badCursor(input.after)
    const { next, partial, tasks } = page.value
    return { tasks, next, ...(partial ? { partial: true as const } : {}) }
  })
})

/** How much of a long story `show` tells; the rest is in the lists of their own. */
const MOST_EVENTS = 1_000
const MOST_CHILDREN = 200

/** The record of a task that must be there. */
export const found = (id: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const row = yield* store.tasks.find(id)
    return Option.isNone(row) ? yield* taskNotFound(id) : row.value
  })

const artifacts = (task: Task) =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    return yield* Effect.forEach(artifactPaths(task), (path) =>
      store.observe(path).pipe(
        Effect.map((seen) => ({
          path,
          exists: Option.isSome(seen),
          size: Option.map(seen, (one) => one.size)
        })),
        // A path that was refused is still shown as what it is: named, and not there.
        Effect.orElseSucceed(() => ({ path, exists: false, size: Option.none<number>() }))
      )
    )
  })

/** What the outcome reports; of a completed task also what it declares, which was verified and may not be reported. */
const artifactPaths = (task: Task): ReadonlyArray<string> => {
  const reported = Option.match(task.outcome, {
    onNone: () => [],
    onSome: (outcome) => outcome.artifactPaths
  })
  const products = task.status === "completed" ? declared(task).products.map(({ path }) => path) : []
  const named = new Set(reported.map(normalise))
  return [...reported, ...products.filter((path) => !named.has(normalise(path)))]
}

/** The whole story of one task; a replay with the run that it repeats, an original with its replays. */
export const show = operation({
  name: "tasks.show",
  role: "read",
  output: TaskStory,
  run: traced("Tasks.show")(function* (input: { readonly id: string }) {
    const store = yield* Store
    const id = yield* namedTask(input.id)
    const { round, task } = yield* found(id)
    return {
      task,
      attempts: yield* store.attempts.ofTask(id),
      events: yield* store.events.ofTask(id, MOST_EVENTS),
      artifacts: yield* artifacts(task),
      children: yield* store.tasks.children(id, MOST_CHILDREN),
      waiting: yield* waiting(task),
      replayOf: yield* replayOf(round),
      replays: yield* replaysOf(id)
    }
  })
})

/** A move's answer, or the refusal that it is for the caller (exit 1, 409). */
export const answered = (id: string, moved: Moved) => {
  switch (moved._tag) {
    case "Moved":
      return Effect.succeed({ ok: true, task_id: moved.task.taskId, status: moved.task.status as string })
    case "NotFound":
      return Effect.fail(taskNotFound(id))
    case "Refused":
      return Effect.fail(
        new Refusal({
          code: "move_refused",
          message: `task ${id} was not moved: ${moved.why}`,
          hint: `agent-runtime task-show ${id} tells its story`,
          exitCode: 1
        })
      )
  }
}

/**
 * Cancels a task. A running one only with `force`: then the answer is `cancel_requested` at once while its
 * dispatcher stops it, or, where no dispatcher is alive, the caller does it.
 */
export const cancel = operation({
  name: "tasks.cancel",
  role: "operate",
  output: MovedTask,
  run: traced("Tasks.cancel")(function* (
    input: { readonly id: string; readonly reason: Option.Option<string>; readonly force: boolean },
    actor
  ) {
    const store = yield* Store
    const id = yield* namedTask(input.id)
    const reason = yield* said("reason", input.reason)
    const stamp = { at: yield* now, actor }
    const nextTaskId = TaskId.make(yield* (yield* IdSource).next)
    const moved = yield* store.transact(
      "Tasks.cancel",
      Effect.tap(store.tasks.cancel(id, reason, stamp), ({ _tag }) =>
        _tag === "Moved" ? taskEnded(id, nextTaskId, stamp) : Effect.void
      )
    )
    if (moved._tag === "Refused" && moved.task.status === "running" && input.force)
      return yield* Effect.flatMap(cancelRunning(id, nextTaskId, reason, stamp), (next) =>
        answered(id, next)
      ).pipe(
        Effect.map((answer) =>
          answer.status === "running" ? { ...answer, status: "cancel_requested" } : answer
        )
      )
    return yield* answered(id, moved)
  })
})

/** Begins a fresh round of a blocked or ended task; the history stays. */
export const retry = operation({
  name: "tasks.retry",
  role: "operate",
  output: MovedTask,
  run: traced("Tasks.retry")(function* (
    input: { readonly id: string; readonly note: Option.Option<string> },
    actor
  ) {
    const store = yield* Store
    const note = yield* said("note", input.note)
    const id = yield* namedTask(input.id)
    const stamp = { at: yield* now, actor }
    const moved = yield* store.transact(
      "Tasks.retry",
      Effect.tap(store.tasks.retry(id, note, stamp), ({ _tag }) =>
        _tag === "Moved" ? taskRetried(id, stamp) : Effect.void
      )
    )
    return yield* answered(id, moved)
  })
})
