import { DateTime, Effect } from "effect"
import { removal, Worktrees } from "../context/Worktrees.ts"

/** So many are named; the rest is counted. */
const MOST_NAMED = 5

/** A warning for each worktree that is kept because an attempt changed something in it, with what ends that. */
export const keptWorktrees = Effect.gen(function* () {
  const kept = (yield* (yield* Worktrees).list).filter((one) => one.state === "kept")
  const named = kept
    .slice(0, MOST_NAMED)
    .map(({ goneFrom, madeAt, path, taskId }) =>
      goneFrom === undefined
        ? `the worktree ${path} is kept since ${DateTime.formatIso(madeAt)}, for task ${taskId} changed something in it; when you have what you want of it, ${removal(path)}`
        : `the worktree ${path} is gone, and what git has of it is kept since ${DateTime.formatIso(madeAt)}, for task ${taskId}; when you have what you want of it, git --git-dir ${goneFrom} worktree prune`
    )
  return kept.length > MOST_NAMED ? [...named, `${kept.length - MOST_NAMED} more worktrees are kept`] : named
})
