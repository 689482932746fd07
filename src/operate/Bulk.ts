import { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import { type TaskStatus, TERMINAL } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { taskEnded, taskRetried } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import type { Candidate } from "../store/TaskLists.ts"
import { Bulk } from "./answers/Bulk.ts"
import { GONE, overAll, tried, type Wanted, whyNot } from "./BulkWalk.ts"
import { requestCancel, sweepForTheDead } from "./ForceCancel.ts"
import { operation } from "./Operation.ts"
import { said } from "./Said.ts"

const canceling = (reason: Option.Option<string>, force: boolean) => {
  const move = Effect.fnUntraced(function* (id: TaskId, nextTaskId: TaskId, stamp: Stamp, bulkId: string) {
    const store = yield* Store
    const moved = yield* store.tasks.cancel(id, reason, stamp, { bulk_id: bulkId })
    if (moved._tag === "Moved") yield* taskEnded(id, nextTaskId, stamp)
    const isRunning = moved._tag === "Refused" && moved.task.status === "running"
    return isRunning && force
      ? yield* requestCancel(id, nextTaskId, reason, stamp, { bulk_id: bulkId })
      : moved
  })
  return {
    verb: "cancel",
    objection: (status: TaskStatus) => {
      if (TERMINAL.includes(status)) return `it is ${status} already`
      return status === "running" && !force
        ? "it is running; cancel it with force to stop its processes"
        : undefined
    },
    isSure: (status: TaskStatus) => status !== "running",
    move,
    foreseen: Effect.fnUntraced(function* (tasks: ReadonlyArray<Candidate>, stamp: Stamp, bulkId: string) {
      const running = tasks.filter(({ status }) => status === "running")
      // As few as there are slots: the rest is canceled for sure.
      const ends = running.length === 0 ? [] : yield* tried(move, running, stamp, bulkId)
      const refused = new Map(
        ends.flatMap(({ moved, taskId }) =>
          moved._tag === "Moved" ? [] : [[taskId, whyNot(moved)] as const]
        )
      )
      return tasks.map(({ taskId }) => ({
        taskId,
        why: Option.fromNullable(refused.get(taskId)),
        claims: [],
        otherwise: Option.none()
      }))
    })
  }
}

const retrying = (note: Option.Option<string>) => ({
  verb: "retry",
  objection: (status: TaskStatus) =>
    status === "blocked" || TERMINAL.includes(status)
      ? undefined
      : `it is ${status}, which is not an end that can be retried`,
  isSure: () => false,
  move: Effect.fnUntraced(function* (id: TaskId, _: TaskId, stamp: Stamp, bulkId: string) {
    const store = yield* Store
    const moved = yield* store.tasks.retry(id, note, stamp, { bulk_id: bulkId })
    if (moved._tag === "Moved") yield* taskRetried(id, stamp)
    return moved
  }),
  foreseen: Effect.fnUntraced(function* (tasks: ReadonlyArray<Candidate>) {
    const store = yield* Store
    const prospects = yield* store.tasks.retryProspects(tasks.map(({ taskId }) => taskId))
    return tasks.map(({ taskId }) => {
      const met = prospects.get(taskId)
      return met === undefined
        ? { taskId, why: Option.some(GONE), claims: [], otherwise: Option.none() }
        : {
            taskId,
            why: met.rival,
            claims: met.claims,
            otherwise: Option.isSome(note) ? met.unheard : Option.none()
          }
    })
  })
})

/**
 * Cancels all tasks that fit a filter, which must not be empty, in batches; running ones only with `force`. Those
 * are moved once their end is asked for: their dispatcher stops them, or, where none is alive, the caller does.
 */
export const cancelMatching = operation({
  name: "tasks.cancel_matching",
  role: "operate",
  output: Bulk,
  run: traced("Bulk.cancel")(function* (
    input: Wanted & { readonly reason: Option.Option<string>; readonly force: boolean },
    actor
  ) {
    const reason = yield* said("reason", input.reason)
    const found = yield* overAll(canceling(reason, input.force), input, actor)
    if (input.force && found.moved > 0) yield* sweepForTheDead
    return found
  })
})

/** Begins a fresh round of all blocked and ended tasks that fit a filter, which must not be empty, in batches. */
export const retryMatching = operation({
  name: "tasks.retry_matching",
  role: "operate",
  output: Bulk,
  run: traced("Bulk.retry")(function* (input: Wanted & { readonly note: Option.Option<string> }, actor) {
    return yield* overAll(retrying(yield* said("note", input.note)), input, actor)
  })
})
