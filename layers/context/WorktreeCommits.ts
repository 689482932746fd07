import { Effect, Either, Option } from "effect"
import { GitFailed, type GitOptions, git, runGit } from "./Git.ts"
import { namedIn } from "./NamedCommits.ts"
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
  /** Why there may be more. */
  readonly problem: Option.Option<string>
}

/** The commits that were made in a worktree since it was made. */
export const commitsOf = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord
): Effect.Effect<Commits, GitFailed> =>
  Effect.gen(function* () {
    const { base, entry } = record
    if (entry === null) return { held: [], left: [], problem: Option.none() }
    const inEntry = { ...options, variables: { ...options.variables, GIT_DIR: entry } }
    const head = yield* git(inEntry, place.side, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
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
      return Effect.map(runGit(own, place.side, args), ({ text }) => linesOf(text))
    }
    const stashed = yield* stashedIn(own, place, record, entry)
    const made = [...new Set([...madeBy(`${entry}/logs/HEAD`), ...stashed])]
      .slice(-MOST_MOVES)
      .filter((one) => one !== sha && one !== base)
    const named = namedIn(entry)
    // Of what was only moved to, or fetched, those count that the repository would lose.
    const others = Either.getOrElse(named, () => []).filter((one) => one !== sha && one !== base)
    const inRepository = { ...options, variables: { ...options.variables, GIT_DIR: record.commonDir } }
    const left = new Set([
      ...(made.length === 0 ? [] : yield* log(made, sha, base)),
      ...(others.length === 0
        ? []
        : yield* newCommits(inRepository, place.side, [...others, "--not", "--all", sha, base]))
    ])
    const [odd] = others.length === 0 ? [] : yield* oddRefs(inEntry, place.side)
    return {
      held: sha === base ? [] : yield* log([sha], base),
      left: [...left],
      problem: Either.match(named, {
        onLeft: (reason) => Option.some(`its commits cannot be told: ${reason}`),
        onRight: () =>
          Option.map(Option.fromNullable(odd), (name) => `as its own ref ${name} names what is no commit`)
      })
    }
  })

/** The refs that a worktree has to itself and that name no commit: a file, a tree or a tag, which nothing else may. */
const oddRefs = (inEntry: GitOptions, dir: string): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(
    runGit(inEntry, dir, [
      "for-each-ref",
      "--format=%(objecttype) %(refname)",
      "refs/worktree",
      "refs/bisect",
      "refs/rewritten"
    ]),
    ({ text }) =>
      linesOf(text).flatMap((line) => (line.startsWith("commit ") ? [] : [line.slice(line.indexOf(" ") + 1)]))
  )

/**
 * Commits by the words of `git rev-list`, newest first, a line each. The configuration of the repository holds for this,
 * of which nothing here can start a program: `rev-list` shows no signatures, and fetches nothing.
 */
export const newCommits = (
  options: GitOptions,
  dir: string,
  words: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(
    runGit(options, dir, [
      "rev-list",
      "--ignore-missing",
      `--max-count=${MOST_COMMITS + 1}`,
      "--format=%H %s",
      ...words,
      "--"
    ]),
    ({ text }) => linesOf(text).filter((line) => !/^commit [0-9a-f]+$/.test(line))
  )

/** The lines of a text that are not empty. */
export const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** Of a longer history of HEAD this much at the end is looked at. */
export const MOST_MOVES = 1000
