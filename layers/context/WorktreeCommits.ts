import { Effect, Option } from "effect"
import { GitFailed, type GitOptions, git, runGit } from "./Git.ts"
import { madeBy } from "./Reflog.ts"
import { aside } from "./WorktreeCheckout.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"
import { stashedIn } from "./WorktreeStash.ts"

export const MOST_COMMITS = 100

/** The commits of a worktree that its base has not, newest first, a line each; of either `at most` 100 and one more. */
export interface Commits {
  /** Those that HEAD has. */
  readonly held: ReadonlyArray<string>
  /** Those that were made there and that HEAD does not have, moved away or stashed: nothing else may name them. */
  readonly left: ReadonlyArray<string>
}

/** The commits that were made in a worktree since it was made. */
export const commitsOf = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord
): Effect.Effect<Commits, GitFailed> =>
  Effect.gen(function* () {
    const { base, entry } = record
    if (entry === null) return { held: [], left: [] }
    const head = yield* git({ ...options, variables: { ...options.variables, GIT_DIR: entry } }, place.path, [
      "rev-parse",
      "--verify",
      "--quiet",
      "HEAD^{commit}"
    ])
    if (Option.isNone(head)) return yield* new GitFailed({ reason: "the worktree has no HEAD any more" })
    const sha = head.value.text.trim()
    const own = aside(options, place)
    const log = (from: ReadonlyArray<string>, ...known: ReadonlyArray<string>) => {
      const without = known.map((one) => `^${one}`)
      const args = [
        "log",
        "--ignore-missing",
        `--max-count=${MOST_COMMITS + 1}`,
        "--format=%H %s",
        ...from,
        ...without
      ]
      return Effect.map(runGit(own, place.path, args), ({ text }) => linesOf(text))
    }
    const stashed = yield* stashedIn(own, place, record, entry)
    const made = [...new Set([...madeBy(`${entry}/logs/HEAD`), ...stashed])]
      .slice(-MOST_MOVES)
      .filter((one) => one !== sha && one !== base)
    return {
      held: sha === base ? [] : yield* log([sha], base),
      left: made.length === 0 ? [] : yield* log(made, sha, base)
    }
  })

/** The lines of a text that are not empty. */
export const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** Of a longer history of HEAD this much at the end is looked at. */
export const MOST_MOVES = 1000
