import { Effect, Layer, Option, Ref } from "effect"
import {
  type ListedWorktree,
  type WorktreeChanges,
  WorktreeRefused,
  Worktrees
} from "../../src/context/Worktrees.ts"
import type { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"

export interface Fixed {
  /** Folders of which no worktree can be made, and why. */
  readonly refused?: Readonly<Record<string, string>>
  /** What the attempts of a task change in theirs; nothing where it is not given. Asked at every look. */
  readonly changes?: (task: TaskId) => Partial<WorktreeChanges>
  /** Worktrees that are there from the beginning. */
  readonly there?: ReadonlyArray<ListedWorktree>
}

const unchanged: WorktreeChanges = {
  files: 0,
  commits: 0,
  staged: 0,
  ignored: false,
  gone: false,
  diff: "",
  touched: () => false,
  problem: Option.none()
}

/** Worktrees that a test states, in memory: those that were made and not removed are listed. */
export const layer = (fixed: Fixed = {}): Layer.Layer<Worktrees> =>
  Layer.effect(
    Worktrees,
    Effect.gen(function* () {
      const all = yield* Ref.make(
        new Map<AttemptId, ListedWorktree>((fixed.there ?? []).map((one) => [one.attemptId, one]))
      )
      const found = (id: AttemptId) => Effect.map(Ref.get(all), (map) => Option.fromNullable(map.get(id)))
      return {
        make: ({ attemptId, base, dir, taskId }) =>
          Effect.gen(function* () {
            const reason = fixed.refused?.[dir]
            if (reason !== undefined) return yield* new WorktreeRefused({ reason })
            const path = `/memory/worktrees/${attemptId}`
            const one = { attemptId, taskId, path, madeAt: yield* now, state: "open" as const }
            yield* Ref.update(all, (map) => new Map(map).set(attemptId, one))
            return { path, cwd: path, base: Option.getOrElse(base, () => "HEAD") }
          }),
        changes: (id) =>
          Effect.map(
            found(id),
            Option.map((one) => ({
              ...unchanged,
              ...(one.state === "spent" ? {} : fixed.changes?.(one.taskId))
            }))
          ),
        keep: (id) =>
          Effect.flatMap(
            found(id),
            Option.match({
              onNone: () => Effect.void,
              onSome: (one) =>
                one.state === "spent"
                  ? Effect.void
                  : Ref.update(all, (map) => new Map(map).set(id, { ...one, state: "kept" }))
            })
          ),
        remove: (id, { dryRun } = { dryRun: false }) =>
          Effect.as(
            dryRun
              ? Effect.void
              : Ref.update(all, (map) => new Map([...map].filter(([other]) => other !== id))),
            { bytes: 0 }
          ),
        list: Effect.map(Ref.get(all), (map) => [...map.values()])
      }
    })
  )
