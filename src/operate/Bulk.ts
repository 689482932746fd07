import { Data, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import { type Task, type TaskStatus, TERMINAL } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { taskEnded, taskRetried } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import type { Candidate, Moved, TaskFilter } from "../store/Tasks.ts"
import { Bulk } from "./answers/Bulk.ts"
import { requestCancel, sweepForTheDead } from "./ForceCancel.ts"
import { operation } from "./Operation.ts"
import { badCursor, Refusal } from "./Refusal.ts"
import { said } from "./Said.ts"

/** So many tasks are looked at and moved at once, in one transaction: others write in between. */
const BATCH = 100
/** So many refusals are told one by one; all are counted. */
const MOST_REFUSALS = 20

/** Told now and then while it goes on: how many were looked at. */
export type Tell = (looked: number) => Effect.Effect<void>

interface Wanted {
  readonly filter: TaskFilter
  readonly dryRun: boolean
  /** At most so many of them, in the order of the list; all by default. */
  readonly limit?: Option.Option<number>
  /** Those behind this cursor of the list alone. */
  readonly after?: Option.Option<string>
  readonly tell?: Tell
}

const isEmpty = ({ kind, source, status }: TaskFilter): boolean =>
  status.length === 0 && Option.isNone(kind) && Option.isNone(source)

const emptyFilter = (verb: string) =>
  new Refusal({
    code: "filter_empty",
    message: `the filter is empty: this would ${verb} every task that there is`,
    hint: `name at least one of status, kind and source; ${verb === "cancel" ? "status pending,retryable_failure,blocked is all that waits" : "status blocked is all that waits for an operator"}`,
    exitCode: 2
  })

/** A kind of move: what it is tried on, and how. */
interface Kind<R> {
  readonly verb: string
  /** Why a task is not to be moved for its status alone; undefined when it may be. */
  readonly objection: (status: TaskStatus) => string | undefined
  /** Part of a transaction; `nextTaskId` is for what may come of it. */
  readonly move: (
    id: TaskId,
    nextTaskId: TaskId,
    stamp: Stamp,
    bulkId: string
  ) => Effect.Effect<Moved, StoreUnavailable, R>
  /** What only one unfinished task can have and a moved one then has, each with why another does not get it. */
  readonly takes: (task: Task) => Effect.Effect<ReadonlyArray<Taken>, StoreUnavailable, R>
}

interface Taken {
  readonly what: string
  readonly why: string
}

const nothing = (dryRun: boolean, bulkId: Option.Option<string>): Bulk => ({
  matched: 0,
  moved: 0,
  refused: 0,
  dryRun,
  bulkId,
  refusals: []
})

const plus = (sum: Bulk, moved: number, refusals: Bulk["refusals"]): Bulk => ({
  ...sum,
  matched: sum.matched + moved + refusals.length,
  moved: sum.moved + moved,
  refused: sum.refused + refusals.length,
  refusals: [...sum.refusals, ...refusals].slice(0, MOST_REFUSALS)
})

/** Moves a batch in one transaction. */
const batch = <R>(kind: Kind<R>, tasks: ReadonlyArray<Candidate>, stamp: Stamp, bulkId: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const ids = yield* IdSource
    const planned = yield* Effect.forEach(tasks, ({ taskId }) =>
      Effect.map(ids.next, (next) => ({ taskId, nextTaskId: TaskId.make(next) }))
    )
    return yield* store.transact(
      "Bulk.batch",
      Effect.forEach(planned, ({ nextTaskId, taskId }) =>
        Effect.map(kind.move(taskId, nextTaskId, stamp, bulkId), (moved) => ({ taskId, moved }))
      )
    )
  })

/** What a batch would come to: it is tried and taken back. */
class Foreseen<Done> extends Data.TaggedError("Foreseen")<{ readonly done: Done }> {}

/**
 * Tells what moving a batch would come to. `taken` is what earlier batches would have taken, which is not there to
 * be met, and is added to.
 */
const foreseen = <R>(
  kind: Kind<R>,
  tasks: ReadonlyArray<Candidate>,
  stamp: Stamp,
  bulkId: string,
  taken: Map<string, string>
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const judged = Effect.flatMap(batch(kind, tasks, stamp, bulkId), (done) =>
      Effect.forEach(done, ({ moved, taskId }) =>
        Effect.map(moved._tag === "Moved" ? kind.takes(moved.task) : Effect.succeed([]), (takes) => ({
          taskId,
          moved,
          takes
        }))
      )
    )
    const tried = yield* store
      .transact(
        "Bulk.foreseen",
        Effect.flatMap(judged, (done) => Effect.fail(new Foreseen({ done })))
      )
      .pipe(Effect.catchTag("Foreseen", ({ done }) => Effect.succeed(done)))
    return tried.map(({ moved, takes, taskId }) => {
      const why = takes.map(({ what }) => taken.get(what)).find((one) => one !== undefined)
      if (why !== undefined) return { taskId, why }
      for (const one of takes) taken.set(one.what, one.why)
      return { taskId, why: moved._tag === "Moved" ? undefined : whyNot(moved) }
    })
  })

const whyNot = (moved: Exclude<Moved, { _tag: "Moved" }>): string =>
  moved._tag === "NotFound" ? "it is no longer there" : moved.why

/** Walks the tasks that fit, newest first; those that are added meanwhile are newer, and not among them. */
const overAll = <R>(
  kind: Kind<R>,
  { after: from = Option.none(), dryRun, filter, limit = Option.none(), tell = () => Effect.void }: Wanted,
  actor: Stamp["actor"]
) =>
  Effect.gen(function* () {
    if (isEmpty(filter)) return yield* emptyFilter(kind.verb)
    const store = yield* Store
    // The list judges the cursor: of one that is none of its own everything would be moved.
    if (Option.isSome(from) && Option.isNone(yield* store.tasks.list(filter, { limit: 1, after: from })))
      return yield* badCursor(from)
    const most = Option.getOrElse(limit, () => Number.POSITIVE_INFINITY)
    const bulkId = yield* (yield* IdSource).next
    let sum = nothing(dryRun, dryRun ? Option.none() : Option.some(bulkId))
    let after = from
    const taken = new Map<string, string>()
    do {
      const page = yield* store.tasks.matching(filter, { limit: Math.min(BATCH, most - sum.matched), after })
      const refusals = page.tasks.flatMap(({ status, taskId }) => {
        const why = kind.objection(status)
        return why === undefined ? [] : [{ taskId, why }]
      })
      sum = plus(sum, 0, refusals)
      const legal = page.tasks.filter(({ status }) => kind.objection(status) === undefined)
      if (legal.length > 0) {
        const stamp = { at: yield* now, actor }
        const done = dryRun
          ? yield* foreseen(kind, legal, stamp, bulkId, taken)
          : (yield* batch(kind, legal, stamp, bulkId)).map(({ moved, taskId }) => ({
              taskId,
              why: moved._tag === "Moved" ? undefined : whyNot(moved)
            }))
        const refused = done.flatMap(({ taskId, why }) => (why === undefined ? [] : [{ taskId, why }]))
        sum = plus(sum, done.length - refused.length, refused)
      }
      yield* tell(sum.matched)
      after = page.next
    } while (Option.isSome(after) && sum.matched < most)
    // A dry run moves nothing: what would move is what matched without being refused.
    return dryRun ? { ...sum, moved: 0 } : sum
  })

const canceling = (reason: Option.Option<string>, force: boolean) => ({
  verb: "cancel",
  objection: (status: TaskStatus) => {
    if (TERMINAL.includes(status)) return `it is ${status} already`
    return status === "running" && !force
      ? "it is running; cancel it with force to stop its processes"
      : undefined
  },
  move: Effect.fnUntraced(function* (id: TaskId, nextTaskId: TaskId, stamp: Stamp, bulkId: string) {
    const store = yield* Store
    const moved = yield* store.tasks.cancel(id, reason, stamp, { bulk_id: bulkId })
    if (moved._tag === "Moved") yield* taskEnded(id, nextTaskId, stamp)
    const isRunning = moved._tag === "Refused" && moved.task.status === "running"
    return isRunning && force
      ? yield* requestCancel(id, nextTaskId, reason, stamp, { bulk_id: bulkId })
      : moved
  }),
  takes: () => Effect.succeed([])
})

const retrying = (note: Option.Option<string>) => ({
  verb: "retry",
  objection: (status: TaskStatus) =>
    status === "blocked" || TERMINAL.includes(status)
      ? undefined
      : `it is ${status}, which is not an end that can be retried`,
  move: Effect.fnUntraced(function* (id: TaskId, _: TaskId, stamp: Stamp, bulkId: string) {
    const store = yield* Store
    const moved = yield* store.tasks.retry(id, note, stamp, { bulk_id: bulkId })
    if (moved._tag === "Moved") yield* taskRetried(id, stamp)
    return moved
  }),
  takes: Effect.fnUntraced(function* ({ dedupeKey, taskId, workflowId }: Task) {
    const store = yield* Store
    const round = Option.isNone(workflowId)
      ? Option.none()
      : Option.flatMap(yield* store.tasks.find(taskId), (found) => found.round.workflowState)
    const holds = (what: string) => `task ${taskId}, which is not finished, ${what}`
    return [
      ...Option.toArray(dedupeKey).map((key) => ({ what: `key ${key}`, why: holds("holds its dedupe key") })),
      ...Option.toArray(round).map((state) => ({
        what: `state ${Option.getOrNull(workflowId)} ${state}`,
        why: holds("holds its workflow's state")
      }))
    ]
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
