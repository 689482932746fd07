import { statSync } from "node:fs"
import { Effect, Option } from "effect"
import { readPlainText } from "../config/PlainFile.ts"
import { type GitOptions, git } from "./Git.ts"
import { type Moved, movesIn } from "./Reflog.ts"
import { worktreesOf } from "./SubmoduleFolders.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"

/**
 * The commits of what was stashed in a worktree since it was made. All worktrees of a repository have one stash
 * between them: what plainly was put there from another one is left out, and what may have been from this one is not.
 * `own` is git by the repository aside.
 */
export const stashedIn = (
  own: GitOptions,
  { path }: WorktreePlace,
  record: WorktreeRecord,
  entry: string
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const since = Math.floor(record.madeAt.epochMillis / 1000)
    const stashes = movesIn(`${record.commonDir}/logs/refs/stash`).filter(({ seconds }) => seconds >= since)
    if (stashes.length === 0) return []
    const bases = yield* basesOf(own, path, stashes)
    const mine = movesIn(`${entry}/logs/HEAD`)
    const isOurs = (stash: Moved): boolean => {
      // A repository may keep no log of HEAD.
      if (mine.length === 0) return true
      const base = bases.get(stash.sha)
      if (base === undefined) return true
      if (base !== record.base && !mine.some(({ sha }) => sha === base)) return false
      const branch = branchOf(stash)
      if (branch === undefined) return true
      if (branch !== DETACHED) return wasOn(entry, mine, branch)
      const alike = stashes.filter(
        (one) =>
          Math.abs(one.seconds - stash.seconds) * 1000 <= STASHING_MS &&
          bases.get(one.sha) === base &&
          branchOf(one) === DETACHED
      )
      return resetsElsewhere(record.commonDir, entry, base, stash.seconds) < alike.length
    }
    return stashes.filter(isOurs).map(({ sha }) => sha)
  })

/** What HEAD was when each was made: its first parent. */
const basesOf = (own: GitOptions, path: string, stashes: ReadonlyArray<Moved>) =>
  Effect.map(
    git(own, path, [
      "rev-list",
      "--no-walk",
      "--parents",
      "--ignore-missing",
      ...new Set(stashes.map(({ sha }) => sha))
    ]),
    (answer) =>
      new Map(
        Option.match(answer, { onNone: () => "", onSome: ({ text }) => text })
          .split("\n")
          .flatMap((line) => {
            const [sha, first] = line.split(" ")
            return sha === undefined || first === undefined ? [] : [[sha, first] as const]
          })
      )
  )

const DETACHED = "(no branch)"

/** The branch that git-stash names, or that there was none; undefined where the words are somebody's own. */
const branchOf = ({ what }: Moved): string | undefined => /^(?:WIP on|On) ([^:]+): /.exec(what)?.[1]

/** Whether HEAD was ever on a branch. It begins on none, and no two worktrees are on one at a time. */
const wasOn = (entry: string, moves: ReadonlyArray<Moved>, branch: string): boolean =>
  textOf(`${entry}/HEAD`).endsWith(`/${branch}`) ||
  moves.some(({ what }) => what.endsWith(` to ${branch}`) || what.endsWith(`/${branch}`))

/** So long a stash may take from its commit to the reset by which it ends. */
const STASHING_MS = 10_000

/**
 * In how many other worktrees the reset was made by which a stash of no branch ends; none where this one had one as
 * well. Git tells it by what HEAD was before, which each worktree has of its own.
 */
const resetsElsewhere = (commonDir: string, entry: string, base: string, seconds: number): number => {
  const isReset = (gitDir: string) => textOf(`${gitDir}/ORIG_HEAD`) === base
  if (isReset(entry)) return 0
  const began = seconds * 1000
  const others = worktreesOf(commonDir).filter((one) => one !== entry)
  return others.filter((other) => {
    if (!isReset(other) || textOf(`${other}/HEAD`).startsWith("ref: ")) return false
    const at = statSync(`${other}/ORIG_HEAD`, { throwIfNoEntry: false })?.mtimeMs
    return at !== undefined && at >= began && at <= began + STASHING_MS
  }).length
}

const textOf = (path: string): string => {
  try {
    return readPlainText(path).trim()
  } catch {
    return ""
  }
}
