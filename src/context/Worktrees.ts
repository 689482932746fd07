import { Context, Data, type DateTime, type Effect, Option } from "effect"
import type { AttemptId, TaskId } from "../domain/Ids.ts"

/** A git worktree that one attempt has to itself. Paths are absolute, without symlinks. */
export interface Worktree {
  /** `worktrees/<attempt>` below the state folder. */
  readonly path: string
  /** The subfolder that stands for the adapter's working directory. */
  readonly cwd: string
  /** The commit that it was made from, and is compared with. */
  readonly base: string
}

/** Why no worktree can be made. `reason` is a sentence that names the folder, and what mends it. */
export class WorktreeRefused extends Data.TaggedError("WorktreeRefused")<{
  readonly reason: string
  /** The system's word where it was not refused for good: the host had no room just now. */
  readonly lack?: string
}> {}

/** What was done in a worktree since it was made. */
export interface WorktreeChanges {
  /** Files that differ from the base, those of new commits and new files among them; ignored ones are not. */
  readonly files: number
  /** Commits that were made in it, stashes among them, in its HEAD or no longer. */
  readonly commits: number
  /** Files whose content in the index neither HEAD nor the diff has. */
  readonly staged: number
  /** Whether there are ignored files. */
  readonly ignored: boolean
  /**
   * Against the base, with the commits named above it; the secrets of the configuration masked. Bounded, with a
   * mark where it was cut.
   */
  readonly diff: string
  /** Whether what lies at an absolute path is not what the base had there; false outside of the worktree. */
  readonly touched: (path: string) => boolean
  /**
   * Whether the folder that was made is no longer at its path. Then no file is told of, and nothing is touched:
   * `problem` is how it is instead, to follow the name of the worktree.
   */
  readonly gone: boolean
  /** Why what was done cannot be told in full; it is to be kept then. */
  readonly problem: Option.Option<string>
}

/** Of a worktree in which nobody can tell what was done: it is to be kept, and whatever is in it may be the attempt's. */
export const untoldChanges = (root: string, problem: string, diff: string): WorktreeChanges => ({
  files: 0,
  commits: 0,
  staged: 0,
  ignored: false,
  gone: false,
  diff,
  touched: (path) => path.startsWith(`${root}/`),
  problem: Option.some(problem)
})

interface Lying {
  readonly attemptId: AttemptId
  readonly path: string
  readonly madeAt: DateTime.Utc
}

/**
 * A worktree on record, or what is left of one. `open`: its attempt runs, or nobody has looked at it since it died.
 * `spent`: there is nothing in it to be looked at, for it was not ready yet, or is partly removed, or somebody took it
 * away after it was kept.
 */
export type ListedWorktree =
  | (Lying & { readonly state: "open"; readonly taskId: TaskId })
  | (Lying & {
      readonly state: "kept"
      readonly taskId: TaskId
      /** The git folder of its repository, where the folder is gone and what git has of it is kept. */
      readonly goneFrom?: string
    })
  | (Lying & { readonly state: "spent" })

/** What removes a worktree that is kept. Git refuses it for one that lies elsewhere than it was made. */
export const removal = (path: string): string =>
  `git -C ${path} worktree remove --force ${path} (where the state folder was moved since, first git -C ${path} worktree repair ${path})`

export interface WorktreeWanted {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
  /** The adapter's working directory, absolute, without symlinks. */
  readonly dir: string
  /** The commit to begin from where the repository has it; else HEAD. */
  readonly base: Option.Option<string>
}

/**
 * Worktrees of attempts, below the state folder, each registered with the repository that it is of. Nothing that
 * a repository or an agent configured is run: no hooks, filters, pagers, external helpers. What died at any point
 * is removed or kept by whoever comes next; a worktree that was begun to be removed is removed.
 */
export class Worktrees extends Context.Tag("agent-runtime/Worktrees")<
  Worktrees,
  {
    /** Makes an attempt's worktree, detached at the base, its files as they were committed. */
    readonly make: (wanted: WorktreeWanted) => Effect.Effect<Worktree, WorktreeRefused>
    /**
     * None when the attempt has no worktree, or it was never ready to be worked in, or is gone without anything that
     * would be lost with what git has of it. One that is there without its record is there all the same: untold.
     */
    readonly changes: (attemptId: AttemptId) => Effect.Effect<Option.Option<WorktreeChanges>>
    /** Records that a worktree stays for an operator to look at. Nothing happens when there is none. */
    readonly keep: (attemptId: AttemptId) => Effect.Effect<void>
    /**
     * Removes an attempt's worktree, kept or not, and its entry in the repository; answers the bytes of its files.
     * With `dryRun` nothing is removed. Nothing happens when there is none; a part that cannot be removed is left
     * for the next call, and logged.
     */
    readonly remove: (
      attemptId: AttemptId,
      options?: { readonly dryRun: boolean }
    ) => Effect.Effect<{ readonly bytes: number }>
    /** All that are on record, oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<ListedWorktree>>
  }
>() {}
