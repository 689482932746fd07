import { Effect, Option } from "effect"
import type { WorktreeChanges } from "../../src/context/Worktrees.ts"
import { counted } from "../../src/domain/Figure.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { GitFailed, type GitOptions, git, runGit } from "./Git.ts"
import { aside } from "./WorktreeCheckout.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"

/** Characters of a diff that are kept, and so many more are masked with them: a value may stand across the end. */
const MOST_CHARACTERS = 4 * 1024 * 1024
const MORE_CHARACTERS = 64 * 1024
const MOST_NAMES_BYTES = 16 * 1024 * 1024
const MOST_COMMITS = 100

const CUT = `\n# agent-runtime: the diff beyond ${counted(MOST_CHARACTERS)} characters is cut off here; the kept worktree has all of it\n`

/**
 * Compares a worktree with its base. The files themselves are compared, by an index that its agent never had, so
 * that nothing is hidden by flags or commits of its own; git's ignore rules hold as the worktree has them.
 */
export const changesOf = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord,
  redactor: Pick<Redactor, "text">
): Effect.Effect<WorktreeChanges> =>
  Effect.gen(function* () {
    const own = aside(options, place)
    const inside = { ...own, mostBytes: MOST_NAMES_BYTES }
    const names = (...args: ReadonlyArray<string>) =>
      Effect.map(runGit(inside, place.path, args), ({ cut, text }) => ({
        cut,
        names: text.split("\0").filter((name) => name !== "")
      }))
    // New files are made known, without their content. What cannot be (a repository within) stays a new file.
    yield* Effect.ignore(runGit(own, place.path, ["add", "--intent-to-add", "--ignore-errors", "--", "."]))
    const differing = yield* names("diff", ...FLAGS, "--name-only", "-z", record.base)
    const left = yield* names("ls-files", "--others", "--exclude-standard", "-z")
    const ignored = yield* names(
      "ls-files",
      "--others",
      "--ignored",
      "--exclude-standard",
      "--directory",
      "-z"
    )
    const commits = yield* commitsOf(options, place, record)
    const diff = yield* runGit({ ...own, mostBytes: MOST_CHARACTERS + MORE_CHARACTERS }, place.path, [
      "diff",
      ...FLAGS,
      "--full-index",
      record.base
    ])
    const all = [...differing.names, ...left.names]
    return {
      files: all.length,
      commits: commits.held.length + commits.left.length,
      ignored: ignored.names.length > 0,
      diff: shown({ record, commits, left: left.names, diff: diff.text }, redactor),
      touched: touchedIn(place.path, [...all, ...ignored.names], differing.cut || left.cut || ignored.cut),
      problem: Option.none()
    }
  }).pipe(
    Effect.catchTag("GitFailed", ({ reason }) => Effect.succeed(untold(place.path, record, reason, redactor)))
  )

/** No program of anybody's is run for a difference, and no status of a repository within is asked for. */
const FLAGS = ["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty"]

/** The commits of a worktree that its base has not, newest first, a line each; of either `at most` 100 and one more. */
interface Commits {
  /** Those that HEAD has. */
  readonly held: ReadonlyArray<string>
  /** Those that were made there and that HEAD does not have, moved away or stashed: nothing else may name them. */
  readonly left: ReadonlyArray<string>
}

const commitsOf = (options: GitOptions, place: WorktreePlace, record: WorktreeRecord) =>
  Effect.gen(function* () {
    const { base, entry } = record
    if (entry === null) return { held: [], left: [] } satisfies Commits
    const head = yield* git({ ...options, variables: { ...options.variables, GIT_DIR: entry } }, place.path, [
      "rev-parse",
      "--verify",
      "--quiet",
      "HEAD^{commit}"
    ])
    if (Option.isNone(head)) return yield* new GitFailed({ reason: "the worktree has no HEAD any more" })
    const sha = head.value.text.trim()
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
      return Effect.map(runGit(aside(options, place), place.path, args), ({ text }) =>
        text.split("\n").filter((line) => line !== "")
      )
    }
    const made = madeIn(record, entry).filter((one) => one !== sha && one !== base)
    return {
      held: sha === base ? [] : yield* log([sha], base),
      left: made.length === 0 ? [] : yield* log(made, sha, base)
    } satisfies Commits
  })

/** Of a longer history of HEAD this much at the end is looked at. */
const MOST_MOVES = 1000

/**
 * What was made there, by the logs that git keeps: what each worktree's HEAD became by a commit, a merge or the like
 * (that it was moved to what there was, tells nothing), and what has been stashed since, which all worktrees share.
 */
const madeIn = ({ commonDir, madeAt }: WorktreeRecord, entry: string): ReadonlyArray<string> => {
  const since = Math.floor(madeAt.epochMillis / 1000)
  const made = [
    ...movesIn(`${entry}/logs/HEAD`).filter(({ what }) => !/^(checkout|reset): moving /.test(what)),
    ...movesIn(`${commonDir}/logs/refs/stash`).filter(({ seconds }) => seconds >= since)
  ]
  return [...new Set(made.map(({ sha }) => sha))].slice(-MOST_MOVES)
}

/** gitformat-reflog: `<old> <new> <name> <<mail>> <seconds> <zone>` TAB `<what>`. A repository may keep no such logs. */
const movesIn = (log: string) => {
  let text: string
  try {
    text = readPlainText(log, MOST_NAMES_BYTES)
  } catch {
    return []
  }
  return text.split("\n").flatMap((line) => {
    const found = /^[0-9a-f]+ ([0-9a-f]{40,64}) [^\t]*?(\d+) [+-]\d{4}(?:\t(.*))?$/.exec(line)
    const [, sha, seconds, what = ""] = found ?? []
    return sha === undefined ? [] : [{ sha, seconds: Number(seconds), what }]
  })
}

interface Shown {
  readonly record: WorktreeRecord
  readonly commits: Commits
  readonly left: ReadonlyArray<string>
  readonly diff: string
}

const shown = ({ commits, diff, left, record }: Shown, redactor: Pick<Redactor, "text">): string => {
  const named = (what: string, lines: ReadonlyArray<string>) => [
    ...lines.slice(0, MOST_COMMITS).map((line) => `# ${what} ${line}`),
    ...(lines.length > MOST_COMMITS ? ["# and older commits"] : [])
  ]
  const head = [
    `# the worktree of attempt ${record.attemptId} against its base ${record.base}`,
    ...named("commit", commits.held),
    ...named("commit that HEAD does not have:", commits.left),
    ...left.slice(0, MOST_COMMITS).map((name) => `# not in this diff: ${JSON.stringify(name)}`),
    ""
  ].join("\n")
  // Masked first: what is cut off afterwards holds no part of a value.
  const masked = redactor.text(head + diff)
  return masked.length <= MOST_CHARACTERS ? masked : `${masked.slice(0, MOST_CHARACTERS)}${CUT}`
}

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

const untold = (
  root: string,
  record: WorktreeRecord,
  reason: string,
  redactor: Pick<Redactor, "text">
): WorktreeChanges => ({
  files: 0,
  commits: 0,
  ignored: false,
  diff: redactor.text(
    `# the worktree of attempt ${record.attemptId} could not be compared with its base ${record.base}: ${reason}\n`
  ),
  touched: (path) => path.startsWith(`${root}/`),
  problem: Option.some(reason)
})
