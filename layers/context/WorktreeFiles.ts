import { lstatSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { GitFailed, type GitOptions, runGit } from "./Git.ts"
import { unseenIn } from "./UnseenFiles.ts"
import { copyIndex } from "./WorktreeCheckout.ts"

/** Characters of a diff that are kept, and so many more are masked with them: a value may stand across the end. */
export const MOST_CHARACTERS = 4 * 1024 * 1024
const MORE_CHARACTERS = 64 * 1024
/** Of a list of names. */
const MOST_NAMES_BYTES = 16 * 1024 * 1024

/** Larger files are named and not shown: git would read each to its end, a sparse one of a terabyte too. */
const MOST_SHOWN_BYTES = 256 * 1024 * 1024

const isLarge = (file: string): boolean =>
  (lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) > MOST_SHOWN_BYTES

/** What differs between files and a commit. A name that ends with `/` is a folder of which nothing more is told. */
export interface FileChanges {
  /** Files that differ, new ones among them. */
  readonly differing: ReadonlyArray<string>
  /** Those that the diff does not show. */
  readonly left: ReadonlyArray<string>
  readonly ignored: ReadonlyArray<string>
  /** Whether there are more names than are told. */
  readonly cut: boolean
  readonly diff: string
}

/** No program of anybody's is run for a difference, and no status of a repository within is asked for. */
const FLAGS = ["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty"]

/** A commit that lies as files at a path, and git on them by the repository aside, whose index is the commit's. */
export interface Tree {
  readonly own: GitOptions
  readonly index: string
  readonly path: string
  readonly commit: string
  /** What its names begin with: empty, or with a `/` at its end. */
  readonly folder: string
}

export interface Gitlink {
  readonly name: string
  readonly commit: string
}

/** The names of a repository's folders are read as far as this. */
const MOST_FOLDERS_BYTES = 64 * 1024 * 1024

/** The submodules of a commit. Of its tree only the folders are read. */
export const gitlinksOf = ({ commit, own, path }: Tree): Effect.Effect<ReadonlyArray<Gitlink>, GitFailed> =>
  runGit({ ...own, mostBytes: MOST_FOLDERS_BYTES }, path, [
    "ls-tree",
    "-r",
    "-d",
    "-z",
    "--full-tree",
    commit
  ]).pipe(
    Effect.filterOrFail(
      ({ cut }) => !cut,
      () => new GitFailed({ reason: `commit ${commit} has too many folders to look for submodules` })
    ),
    Effect.map(({ text }) =>
      text.split("\0").flatMap((line) => {
        const [, sha, name] = /^160000 commit ([0-9a-f]{40,64})\t(.+)$/s.exec(line) ?? []
        return sha === undefined || name === undefined ? [] : [{ name, commit: sha }]
      })
    )
  )

/**
 * Compares files with their commit: the files themselves, by an index that nobody else ever had; git's ignore rules
 * hold as the files have them. Its submodules are not looked into. What git passes over is named.
 */
export const filesAgainst = (
  { commit, folder, index, own, path }: Tree,
  submodules: ReadonlyArray<Gitlink>
): Effect.Effect<FileChanges, GitFailed> =>
  Effect.gen(function* () {
    // New files are made known in an index that is thrown away: git's `add` would ask for the status of a repository
    // that it finds in its index, by a git that does what the configuration there says.
    const known = `${index}.compared`
    yield* Effect.try({
      try: () => copyIndex(index, known),
      catch: (cause) => new GitFailed({ reason: cause instanceof Error ? cause.message : String(cause) })
    })
    const inside = { ...own, variables: { ...own.variables, GIT_INDEX_FILE: known } }
    const names = (...args: ReadonlyArray<string>) =>
      Effect.map(runGit({ ...inside, mostBytes: MOST_NAMES_BYTES }, path, args), ({ cut, text }) => ({
        cut,
        names: text.split("\0").flatMap((name) => (name === "" ? [] : [`${folder}${name}`]))
      }))
    // Without their content. What cannot be (a repository within) stays a new file.
    const others = submodules.map(({ name }) => `:(exclude,literal)${name}`)
    yield* Effect.ignore(
      runGit(inside, path, ["add", "--intent-to-add", "--ignore-errors", "--", ".", ...others])
    )
    const differing = yield* names("diff", ...FLAGS, "--name-only", "-z", commit)
    const left = yield* names("ls-files", "--others", "--exclude-standard", "-z")
    const ignored = yield* names(
      "ls-files",
      "--others",
      "--ignored",
      "--exclude-standard",
      "--directory",
      "-z"
    )
    const inTree = (name: string) => name.slice(folder.length)
    const unseen = yield* unseenIn(
      path,
      new Set([
        ...[...left.names, ...ignored.names].map(inTree),
        // A repository that could be made known is told by its commit, as a file is.
        ...differing.names.map((name) => `${inTree(name)}/`),
        ...submodules.map(({ name }) => `${name}/`)
      ])
    )
    const large = new Set<string>()
    for (const [count, name] of differing.names.entries()) {
      if (count % 1000 === 999) yield* Effect.yieldNow()
      if (isLarge(join(path, inTree(name)))) large.add(name)
    }
    const placed = folder === "" ? [] : [`--src-prefix=a/${folder}`, `--dst-prefix=b/${folder}`]
    const diff = yield* runGit({ ...inside, mostBytes: MOST_CHARACTERS + MORE_CHARACTERS }, path, [
      "diff",
      ...FLAGS,
      ...placed,
      "--full-index",
      commit,
      "--",
      ".",
      ...[...large].map((name) => `:(exclude,literal)${inTree(name)}`)
    ])
    return {
      differing: differing.names.filter((name) => !large.has(name)),
      left: [...left.names, ...unseen.map((name) => `${folder}${name}`), ...large],
      ignored: ignored.names,
      cut: differing.cut || left.cut || ignored.cut,
      diff: diff.text
    }
  })
