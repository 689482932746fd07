import { DateTime, Effect, Option } from "effect"
import { type ListedWorktree, Worktrees } from "../context/Worktrees.ts"
import { type AttemptId, timeOfId } from "../domain/Ids.ts"
import { TERMINAL } from "../domain/Task.ts"
import { Store } from "../store/Store.ts"
import { changed } from "./LeaveWorktree.ts"

/** Worktrees that a prune leaves: what was done in them is kept until an operator has looked at it. */
export interface HeldWorktrees {
  /** The attempts that they are of: what tells of them stays as well, whatever its age. */
  readonly attempts: ReadonlyArray<AttemptId>
  /** Where those lie that would have gone by now but for that. */
  readonly outlived: ReadonlyArray<string>
}

/** Before when tasks must have finished, and attempts ended, for retention to be over; none keeps for ever. */
interface Over {
  readonly tasks: Option.Option<DateTime.Utc>
  readonly evidence: Option.Option<DateTime.Utc>
}

const isBefore = (time: Option.Option<DateTime.Utc>, limit: Option.Option<DateTime.Utc>): boolean =>
  Option.isSome(time) && Option.isSome(limit) && DateTime.lessThan(time.value, limit.value)

/** The worktrees that are there; those that nobody has looked at since their attempt died may have work in them, too. */
export const heldWorktrees = (over: Over) =>
  Effect.gen(function* () {
    const store = yield* Store
    const there = (yield* (yield* Worktrees).list).flatMap((one) => (one.state === "spent" ? [] : [one]))
    const outlived = yield* Effect.filter(there, ({ attemptId, taskId }) =>
      Effect.gen(function* () {
        const attempt = yield* store.attempts.find(attemptId)
        const task = yield* store.tasks.find(taskId)
        if (Option.isNone(attempt) || Option.isNone(task)) return false
        const { finishedAt, status } = task.value.task
        return (
          TERMINAL.includes(status) &&
          (isBefore(finishedAt, over.tasks) || isBefore(attempt.value.endedAt, over.evidence))
        )
      })
    )
    return {
      attempts: there.map(({ attemptId }) => attemptId),
      outlived: outlived.map(({ path }) => path)
    } satisfies HeldWorktrees
  })

/**
 * Removes worktrees of attempts that no row names, and answers how many, their bytes, and where those lie that have
 * work in them: nobody else could tell whose it is, and they stay. So do those that nobody has looked at yet and that
 * were made before `since`, by the time in their id or by that on record: `older`. That is for whose they are.
 */
export const sweepUnknown = ({
  before,
  dryRun,
  since
}: {
  readonly before: DateTime.Utc
  readonly since: DateTime.Utc
  readonly dryRun: boolean
}) =>
  Effect.gen(function* () {
    const worktrees = yield* Worktrees
    const { known } = (yield* Store).maintenance.prune
    const isOlder = ({ attemptId, madeAt, state }: ListedWorktree) =>
      state === "open" &&
      [madeAt, ...Option.toArray(timeOfId(attemptId))].some((made) => DateTime.lessThan(made, since))
    const looked = (yield* worktrees.list).filter(
      (one) => isOlder(one) || DateTime.lessThan(one.madeAt, before)
    )
    const there = yield* known(
      "attempts",
      looked.map(({ attemptId }) => attemptId)
    )
    let litter = 0
    let bytesFreed = 0
    const outlived: Array<string> = []
    const older: Array<string> = []
    for (const one of looked.filter(({ attemptId }) => !there.has(attemptId))) {
      if (isOlder(one)) {
        older.push(one.path)
        continue
      }
      if (yield* hasWork(one, dryRun)) {
        outlived.push(one.path)
        continue
      }
      litter++
      bytesFreed += (yield* worktrees.remove(one.attemptId, { dryRun })).bytes
    }
    return { litter, bytesFreed, outlived, older }
  })

const hasWork = ({ attemptId, state }: ListedWorktree, dryRun: boolean) =>
  Effect.gen(function* () {
    if (state !== "open") return state === "kept"
    const worktrees = yield* Worktrees
    const changes = yield* worktrees.changes(attemptId)
    if (!Option.exists(changes, (one) => Option.isSome(one.problem) || Option.isSome(changed(one))))
      return false
    if (!dryRun) yield* worktrees.keep(attemptId)
    return true
  })
