import { Effect, Either, Option } from "effect"
import { untoldChanges, type WorktreeChanges } from "../../src/context/Worktrees.ts"
import { counted } from "../../src/domain/Figure.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import type { GitOptions } from "./Git.ts"
import { aside, indexOf } from "./WorktreeCheckout.ts"
import { type Commits, commitsOf, MOST_COMMITS } from "./WorktreeCommits.ts"
import { filesAgainst, gitlinksOf, MOST_CHARACTERS } from "./WorktreeFiles.ts"
import { mislaid } from "./WorktreeFolder.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"
import { stagedIn } from "./WorktreeStaged.ts"
import { submodulesOf } from "./WorktreeSubmodules.ts"

/** Of files that the diff does not show. */
const MOST_NAMED = 100

const CUT = `\n# agent-runtime: the diff beyond ${counted(MOST_CHARACTERS)} characters is cut off here; the kept worktree has all of it\n`

/**
 * Compares a worktree with its base, and submodules that its agent cloned with what the base has of them. The files
 * themselves are compared, so that nothing is hidden by flags or commits of the agent's own.
 */
export const changesOf = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord,
  redactor: Pick<Redactor, "text">
): Effect.Effect<WorktreeChanges> =>
  Effect.gen(function* () {
    const { path } = place
    const tree = { own: aside(options, place), index: indexOf(place), path, commit: record.base, folder: "" }
    const links = yield* gitlinksOf(tree)
    const own = yield* filesAgainst(tree, links)
    const commits = yield* commitsOf(options, place, record)
    const staging = yield* Effect.either(
      record.entry === null
        ? Effect.succeed([])
        : stagedIn(options, { repository: record.entry, at: path, folder: "" }, own)
    )
    const within = yield* submodulesOf(options, place, record, links)
    const staged = [...Either.getOrElse(staging, () => []), ...within.staged]
    const files = [own, ...within.files]
    const differing = new Set(files.flatMap((one) => one.differing))
    // A submodule may be told by the commit that it has by now.
    const left = files.flatMap((one) => one.left).filter((name) => !differing.has(name.replace(/\/$/, "")))
    const ignored = files.flatMap((one) => one.ignored)
    const all = [...differing, ...left]
    return {
      files: all.length,
      commits: commits.held.length + commits.left.length + within.commits.length,
      staged: staged.length,
      ignored: ignored.length > 0,
      diff: shown(
        {
          record,
          commits,
          within: within.commits,
          left,
          staged,
          ignored,
          diff: files.map(({ diff }) => diff).join("")
        },
        redactor
      ),
      touched: touchedIn(
        path,
        [...all, ...ignored],
        files.some(({ cut }) => cut)
      ),
      gone: false,
      problem: Option.firstSomeOf([
        mislaid(place, record),
        commits.problem,
        Option.map(Either.getLeft(staging), ({ reason }) => `its index cannot be told: ${reason}`),
        within.problem
      ])
    }
  }).pipe(
    Effect.catchTag("GitFailed", ({ reason }) => Effect.succeed(untold(place.path, record, reason, redactor)))
  )

interface Shown {
  readonly record: WorktreeRecord
  readonly commits: Commits
  /** Commits in submodules. */
  readonly within: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
  readonly staged: ReadonlyArray<string>
  readonly ignored: ReadonlyArray<string>
  readonly diff: string
}

/** The text of a diff: what it does not show is named above it. */
export const shown = (
  { commits, diff, ignored, left, record, staged, within }: Shown,
  redactor: Pick<Redactor, "text">
): string => {
  const named = (what: string, lines: ReadonlyArray<string>) => [
    ...lines.slice(0, MOST_COMMITS).map((line) => `# ${what} ${line}`),
    ...(lines.length > MOST_COMMITS ? ["# and older commits"] : [])
  ]
  const head = [
    `# the worktree of attempt ${record.attemptId} against its base ${record.base}`,
    ...named("commit", commits.held),
    ...named("commit that HEAD does not have:", commits.left),
    ...named("commit in a submodule:", within),
    ...unshown("", left),
    ...unshown(", for it is in the index alone", staged),
    ...unshown(", for git ignores it", ignored),
    ""
  ].join("\n")
  // Masked first: what is cut off afterwards holds no part of a value.
  const masked = redactor.text(head + diff)
  return masked.length <= MOST_CHARACTERS ? masked : `${masked.slice(0, MOST_CHARACTERS)}${CUT}`
}

const unshown = (why: string, names: ReadonlyArray<string>) => [
  ...names.slice(0, MOST_NAMED).map((name) => `# not in this diff${why}: ${JSON.stringify(name)}`),
  ...(names.length > MOST_NAMED ? [`# and ${counted(names.length - MOST_NAMED)} more${why}`] : [])
]

const touchedIn = (root: string, names: ReadonlyArray<string>, isPart: boolean) => {
  const files = new Set(names.filter((name) => !name.endsWith("/")))
  const folders = names.filter((name) => name.endsWith("/"))
  return (path: string): boolean => {
    if (!path.startsWith(`${root}/`)) return false
    const name = path.slice(root.length + 1)
    return (
      isPart ||
      files.has(name) ||
      folders.some((folder) => `${name}/`.startsWith(folder)) ||
      [...files].some((file) => file.startsWith(`${name}/`))
    )
  }
}

/** Of a worktree of which nothing can be told, for a reason of git's. */
export const untold = (
  root: string,
  { attemptId, base }: WorktreeRecord,
  reason: string,
  redactor: Pick<Redactor, "text">
): WorktreeChanges =>
  untoldChanges(
    root,
    reason,
    redactor.text(
      `# the worktree of attempt ${attemptId} could not be compared with its base ${base}: ${reason}\n`
    )
  )
