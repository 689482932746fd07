import { existsSync } from "node:fs"
import { Effect, Either, Option } from "effect"
import type { WorktreeChanges } from "../../src/context/Worktrees.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import type { GitFailed, GitOptions } from "./Git.ts"
import { aside, indexOf } from "./WorktreeCheckout.ts"
import { type Commits, commitsOf } from "./WorktreeCommits.ts"
import { shown } from "./WorktreeDiff.ts"
import { gitlinksOf } from "./WorktreeFiles.ts"
import { movedTo, standingOf } from "./WorktreeFolder.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"
import { stagedIn } from "./WorktreeStaged.ts"
import { type SubmoduleChanges, submodulesOf } from "./WorktreeSubmodules.ts"

/**
 * What can be told of a worktree whose folder is no longer at its path: what git has of it in the repository. No file is
 * looked at, for what lies there is somebody else's. None where nothing lies there, nor beside it, and git has nothing
 * that would be lost.
 */
export const goneChanges = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord,
  redactor: Pick<Redactor, "text">
): Effect.Effect<Option.Option<WorktreeChanges>> =>
  Effect.gen(function* () {
    const { base, entry } = record
    const isMissing = standingOf(place, record) === "missing"
    const beside = movedTo(place, record)
    const told = yield* Effect.either(
      entry === null || !existsSync(entry) ? Effect.succeed(nothing) : held(options, place, record)
    )
    const { commits, staged, within } = Either.getOrElse(told, () => nothing)
    const all = commits.held.length + commits.left.length + within.commits.length
    const problem = Option.firstSomeOf([
      Option.map(Either.getLeft(told), ({ reason }) => reason),
      commits.problem,
      within.problem
    ])
    if (isMissing && all + staged.length === 0 && Option.isNone(beside) && Option.isNone(problem))
      return Option.none()
    const how = isMissing ? "was no longer there" : "is no longer the folder that was made"
    const where = Option.match(beside, {
      onNone: () => "",
      onSome: (name) => `, which is ${JSON.stringify(name)} beside it now`
    })
    const besides = Option.match(problem, { onNone: () => "", onSome: (reason) => `, and ${reason}` })
    const diff = { record, commits, within: within.commits, left: [], staged, ignored: [], diff: "" }
    return Option.some({
      files: 0,
      commits: all,
      staged: staged.length,
      ignored: false,
      diff: `${redactor.text(`# no file is told of: the worktree ${how}${where}${besides}; its base is ${base}\n`)}${shown(diff, redactor)}`,
      touched: () => false,
      gone: true,
      problem: Option.some(redactor.text(`${how}${where}${besides}`))
    })
  })

interface Held {
  readonly commits: Commits
  readonly staged: ReadonlyArray<string>
  readonly within: Pick<SubmoduleChanges, "commits" | "problem">
}

const nothing: Held = {
  commits: { held: [], left: [], problem: Option.none() },
  staged: [],
  within: { commits: [], problem: Option.none() }
}

/** Looked at from the folder beside it: what is at its path may lead anywhere. */
const held = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord
): Effect.Effect<Held, GitFailed> =>
  Effect.gen(function* () {
    const away = { ...place, path: place.side }
    const tree = {
      own: aside(options, away),
      index: indexOf(place),
      path: away.path,
      commit: record.base,
      folder: ""
    }
    const commits = yield* commitsOf(options, away, record)
    const staged =
      record.entry === null
        ? []
        : yield* stagedIn(
            options,
            { repository: record.entry, at: away.path, folder: "" },
            { diff: "", differing: [] }
          )
    const within = yield* submodulesOf(options, away, record, yield* gitlinksOf(tree))
    return { commits, staged: [...staged, ...within.staged], within }
  })
