import { Array as Arr, Data, Effect, Number as Num, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { TaskStatus } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import type { Candidate, Claimable, TaskFilter } from "../store/TaskLists.ts"
import type { Moved } from "../store/Tasks.ts"
import type { Bulk } from "./answers/Bulk.ts"
import { badCursor, Refusal } from "./Refusal.ts"

/** So many tasks are looked at and moved at once, in one transaction: others write in between. */
const BATCH = 100
/** So many are looked at between two turns of the event loop where none is moved. */
const LOOKED_AT = 1_000
/** So many refusals are told one by one; all are counted. */
const MOST_REFUSALS = 20

/** Told now and then while it goes on: how many were looked at. */
export type Tell = (looked: number) => Effect.Effect<void>

export interface Wanted {
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

/** What a caller may name instead of all, as its door takes it. */
const narrower = (verb: string, { surface }: Stamp["actor"]): string => {
  const [statuses, what] =
    verb === "cancel"
      ? [["pending", "retryable_failure", "blocked"], "all that waits"]
      : [["blocked"], "all that waits for an operator"]
  return surface === "cli"
    ? `--status ${statuses.join(",")} is ${what}`
    : `"status": ${JSON.stringify(statuses)} is ${what}`
}

const emptyFilter = (verb: string, actor: Stamp["actor"]) =>
  new Refusal({
    code: "filter_empty",
    message: `the filter is empty: this would ${verb} every task that there is`,
    hint: `name at least one of status, kind and source; ${narrower(verb, actor)}`,
    exitCode: 2
  })

/** A kind of move: what it is tried on, and how. */
export interface Kind<R> {
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
  /** Whether a task of a status without objection moves for sure, whatever else it is. */
  readonly isSure: (status: TaskStatus) => boolean
  /** What `move` would come to, where its status is no objection; nothing is changed. */
  readonly foreseen: (
    tasks: ReadonlyArray<Candidate>,
    stamp: Stamp,
    bulkId: string
  ) => Effect.Effect<ReadonlyArray<Foreseen>, StoreUnavailable, R>
}

/** What moving a task would come to. */
interface Foreseen {
  readonly taskId: TaskId
  /** Why it would be refused. */
  readonly why: Option.Option<string>
  /** What only one unfinished task can have and this one then has. */
  readonly claims: ReadonlyArray<Claimable>
  /** Why it would be refused unless what came before had refused it. */
  readonly otherwise: Option.Option<string>
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
const batch = <R>(move: Kind<R>["move"], tasks: ReadonlyArray<Candidate>, stamp: Stamp, bulkId: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const ids = yield* IdSource
    const planned = yield* Effect.forEach(tasks, ({ taskId }) =>
      Effect.map(ids.next, (next) => ({ taskId, nextTaskId: TaskId.make(next) }))
    )
    return yield* store.transact(
      "Bulk.batch",
      Effect.forEach(planned, ({ nextTaskId, taskId }) =>
        Effect.map(move(taskId, nextTaskId, stamp, bulkId), (moved) => ({ taskId, moved }))
      )
    )
  })

/** What a batch would come to: it is tried and taken back. */
class Tried<Done> extends Data.TaggedError("Tried")<{ readonly done: Done }> {}

/** What moving these would come to: see `Tried`. */
export const tried = <R>(
  move: Kind<R>["move"],
  tasks: ReadonlyArray<Candidate>,
  stamp: Stamp,
  bulkId: string
) =>
  Effect.flatMap(Store, (store) =>
    store
      .transact(
        "Bulk.tried",
        Effect.flatMap(batch(move, tasks, stamp, bulkId), (done) => Effect.fail(new Tried({ done })))
      )
      .pipe(Effect.catchTag("Tried", ({ done }) => Effect.succeed(done)))
  )

/** Why what was removed meanwhile is not moved. */
export const GONE = "it is no longer there"

/** Why a task was not moved. */
export const whyNot = (moved: Exclude<Moved, { _tag: "Moved" }>): string =>
  moved._tag === "NotFound" ? GONE : moved.why

/** What is refused of a batch, each with why. `taken` is what those before would have, and is added to. */
const refusedOf = (
  foreseen: ReadonlyArray<Foreseen>,
  taken: Map<string, string>
): ReadonlyArray<Bulk["refusals"][number]> =>
  foreseen.flatMap(({ claims, otherwise, taskId, why }) => {
    const found = why.pipe(
      Option.orElse(() => Arr.findFirst(claims, ({ what }) => Option.fromNullable(taken.get(what)))),
      Option.orElse(() => otherwise)
    )
    if (Option.isSome(found)) return [{ taskId, why: found.value }]
    for (const one of claims) taken.set(one.what, one.why)
    return []
  })

const objected = <R>(kind: Kind<R>, tasks: ReadonlyArray<Candidate>): Bulk["refusals"] =>
  tasks.flatMap(({ status, taskId }) => {
    const why = kind.objection(status)
    return why === undefined ? [] : [{ taskId, why }]
  })

/** A dry run of what is named by status alone and decided by it: the store has the counts. */
const counted = <R>(kind: Kind<R>, filter: TaskFilter) =>
  Effect.gen(function* () {
    const store = yield* Store
    const counts = yield* store.tasks.counts
    const statuses = [...new Set(filter.status)]
    const refusedOnes = statuses.filter((status) => kind.objection(status) !== undefined)
    const sumOf = (some: ReadonlyArray<TaskStatus>) => Num.sumAll(some.map((status) => counts[status]))
    const page =
      refusedOnes.length === 0
        ? { tasks: [] }
        : yield* store.tasks.matching(
            { ...filter, status: refusedOnes },
            { limit: MOST_REFUSALS, after: Option.none() }
          )
    return {
      ...nothing(true, Option.none()),
      matched: sumOf(statuses),
      refused: sumOf(refusedOnes),
      refusals: objected(kind, page.tasks)
    }
  })

/** Walks the tasks that fit, newest first; those that are added meanwhile are newer, and not among them. */
export const overAll = <R>(
  kind: Kind<R>,
  { after: from = Option.none(), dryRun, filter, limit = Option.none(), tell = () => Effect.void }: Wanted,
  actor: Stamp["actor"]
) =>
  Effect.gen(function* () {
    if (isEmpty(filter)) return yield* emptyFilter(kind.verb, actor)
    const store = yield* Store
    // The list judges the cursor: of one that is none of its own everything would be moved.
    if (
      Option.isSome(from) &&
      Option.isNone(yield* store.tasks.list(filter, { limit: 1, after: from }, "none"))
    )
      return yield* badCursor(from)
    const isDecided = (status: TaskStatus) => kind.objection(status) !== undefined || kind.isSure(status)
    const isByStatus = [filter.kind, filter.source, limit, from].every((one) => Option.isNone<unknown>(one))
    if (dryRun && isByStatus && filter.status.every(isDecided)) return yield* counted(kind, filter)
    const most = Option.getOrElse(limit, () => Number.POSITIVE_INFINITY)
    const bulkId = yield* (yield* IdSource).next
    let sum = nothing(dryRun, dryRun ? Option.none() : Option.some(bulkId))
    let after = from
    const taken = new Map<string, string>()
    do {
      const atOnce = dryRun ? LOOKED_AT : BATCH
      const page = yield* store.tasks.matching(filter, { limit: Math.min(atOnce, most - sum.matched), after })
      sum = plus(sum, 0, objected(kind, page.tasks))
      const legal = page.tasks.filter(({ status }) => kind.objection(status) === undefined)
      if (legal.length > 0) {
        const stamp = { at: yield* now, actor }
        const refused = dryRun
          ? refusedOf(yield* kind.foreseen(legal, stamp, bulkId), taken)
          : (yield* batch(kind.move, legal, stamp, bulkId)).flatMap(({ moved, taskId }) =>
              moved._tag === "Moved" ? [] : [{ taskId, why: whyNot(moved) }]
            )
        sum = plus(sum, legal.length - refused.length, refused)
      }
      yield* tell(sum.matched)
      after = page.next
    } while (Option.isSome(after) && sum.matched < most)
    // A dry run moves nothing: what would move is what matched without being refused.
    return dryRun ? { ...sum, moved: 0 } : sum
  })
