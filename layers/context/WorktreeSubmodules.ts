import { rmSync } from "node:fs"
import { basename, join } from "node:path"
import { Effect, Either, Option } from "effect"
import { GitFailed, type GitOptions, runGit } from "./Git.ts"
import { namedIn } from "./NamedCommits.ts"
import { fillingOf, repositoriesIn, worktreesOf } from "./SubmoduleFolders.ts"
import { aside, indexOf, makeAside } from "./WorktreeCheckout.ts"
import { newCommits } from "./WorktreeCommits.ts"
import { type FileChanges, filesAgainst, type Gitlink, gitlinksOf } from "./WorktreeFiles.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"
import { stagedIn } from "./WorktreeStaged.ts"

/** What was done in the submodules of a worktree, which are empty folders when it is made. */
export interface SubmoduleChanges {
  readonly files: ReadonlyArray<FileChanges>
  /** Files whose content in the index of a clone no difference shows. */
  readonly staged: ReadonlyArray<string>
  /** Commits that no remote name and no gitlink of the base has, a line each. */
  readonly commits: ReadonlyArray<string>
  /** Why it cannot be told in full. */
  readonly problem: Option.Option<string>
}

/**
 * What an attempt did in submodules. Their clones lie in the worktree's entry and go with it, so that nothing else has
 * the commits in them; of files in them no difference of the worktree tells, nor of files in the folder of one that
 * was never cloned. `links` are those of the base.
 */
export const submodulesOf = (
  options: GitOptions,
  place: WorktreePlace,
  record: WorktreeRecord,
  links: ReadonlyArray<Gitlink>
): Effect.Effect<SubmoduleChanges> =>
  Effect.gen(function* () {
    const files: Array<FileChanges> = []
    const staged: Array<string> = []
    const shown = new Map<
      string,
      { readonly at: string; readonly folder: string; readonly files: FileChanges }
    >()
    const problems: Array<string> = []
    const known = new Set<string>()
    const repositories = new Set<string>()
    const note = (reason: string) => {
      problems.push(`its submodules cannot be told: ${reason}`)
    }
    const look = (folder: string) =>
      Either.match(repositoriesIn(folder), {
        onLeft: note,
        onRight: (found) => {
          for (const one of found) repositories.add(one)
        }
      })
    if (record.entry !== null) look(join(record.entry, "modules"))
    const asides = join(place.side, "submodules")
    yield* Effect.ignore(Effect.try(() => rmSync(asides, { recursive: true, force: true })))
    const waiting = links.map((link) => ({ link, within: "", at: join(place.path, link.name) }))
    for (let count = 0, one = waiting[count]; one !== undefined; one = waiting[++count]) {
      const { commit, name } = one.link
      known.add(commit)
      const folder = `${one.within}${name}/`
      const filling = fillingOf(one.at)
      if (filling._tag === "Empty") continue
      if (filling._tag === "Plain") {
        files.push(onlyNamed(folder))
        continue
      }
      if (filling.isInside) look(filling.repository)
      const side = join(asides, `${count}`)
      const found = yield* compared(options, { side, path: one.at, commit, folder, objects: filling.objects })
      if (Option.isNone(found)) {
        files.push(onlyNamed(folder))
        continue
      }
      files.push(found.value.files)
      shown.set(filling.repository, { at: one.at, folder, files: found.value.files })
      for (const link of found.value.further)
        waiting.push({ link, within: folder, at: join(one.at, link.name) })
    }
    const commits: Array<string> = []
    for (const one of new Set([...repositories, ...shown.keys()])) {
      // Of one whose files are gone all that is staged is in its index alone.
      const { at, files, folder } = shown.get(one) ?? {
        at: place.side,
        folder: `${basename(one)}/`,
        files: NONE
      }
      const staging = yield* Effect.either(stagedIn(options, { repository: one, at, folder }, files))
      if (Either.isLeft(staging)) note(staging.left.reason)
      else staged.push(...staging.right)
    }
    for (const one of repositories) {
      const found = yield* Effect.either(commitsIn(options, place, one, [...known]))
      if (Either.isLeft(found)) note(found.left.reason)
      else commits.push(...found.right)
    }
    return { files, staged, commits, problem: Option.fromNullable(problems[0]) }
  })

/**
 * The clone at a path against the commit that it should have, and the submodules of that commit. None where the clone has
 * no such commit: then all that can be said is that there is something.
 */
const compared = (
  options: GitOptions,
  clone: {
    readonly side: string
    readonly path: string
    readonly commit: string
    readonly folder: string
    readonly objects: string
  }
) => {
  const { commit, folder, objects, path, side } = clone
  const own = aside(options, { path, side })
  const tree = { own, index: indexOf({ side }), path, commit, folder }
  return Effect.option(
    Effect.gen(function* () {
      yield* Effect.try(() => makeAside({ side }, { base: commit, objects }))
      yield* runGit(own, path, ["read-tree", commit])
      const further = yield* gitlinksOf(tree)
      return { further, files: yield* filesAgainst(tree, further) }
    })
  )
}

const NONE: FileChanges = { differing: [], left: [], ignored: [], cut: false, diff: "" }

const onlyNamed = (folder: string): FileChanges => ({ ...NONE, left: [folder] })

/**
 * What was committed or stashed in a clone, newest first: what no remote name has. Of tags those that a clone has from
 * its remote lie packed; others may be the attempt's.
 */
const commitsIn = (
  options: GitOptions,
  place: WorktreePlace,
  repository: string,
  known: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.gen(function* () {
    const named = Either.all(worktreesOf(repository).map(namedIn))
    if (Either.isLeft(named)) return yield* new GitFailed({ reason: named.left })
    const inside = {
      ...options,
      variables: { ...options.variables, GIT_DIR: repository, GIT_WORK_TREE: place.path }
    }
    return yield* newCommits(inside, place.side, [
      ...new Set(named.right.flat()),
      "--exclude=refs/remotes/*",
      "--exclude=refs/tags/*",
      "--all",
      "--not",
      "--remotes",
      ...known
    ])
  })
