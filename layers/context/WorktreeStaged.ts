import { Effect } from "effect"
import { GitFailed, type GitOptions, runGit } from "./Git.ts"
import type { FileChanges } from "./WorktreeFiles.ts"

/** Of a list of changes. */
const MOST_BYTES = 16 * 1024 * 1024

/** Whose index is looked at: that of a repository, or of the entry of a worktree, whose files lie at a path. */
interface Staging {
  readonly repository: string
  readonly at: string
  /** What names begin with: empty, or with a `/` at its end. */
  readonly folder: string
}

/**
 * The files that are in an index as neither HEAD has them nor the difference of the files shows them: who staged one and
 * put it back has it nowhere else. Trees are compared, and no file is read.
 */
export const stagedIn = (
  options: GitOptions,
  { at, folder, repository }: Staging,
  { diff, differing }: Pick<FileChanges, "diff" | "differing">
): Effect.Effect<ReadonlyArray<string>, GitFailed> => {
  const inside = {
    ...options,
    mostBytes: MOST_BYTES,
    variables: { ...options.variables, GIT_DIR: repository, GIT_WORK_TREE: at }
  }
  const flags = ["--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=dirty"]
  return Effect.flatMap(runGit(inside, at, ["diff-index", ...flags, "HEAD", "--"]), ({ cut, text }) => {
    if (cut) return new GitFailed({ reason: "it differs from HEAD in too many files" })
    const shown = new Set([...diff.matchAll(/^index [0-9a-f]+\.\.([0-9a-f]+)/gm)].map(([, sha]) => sha))
    const names = new Set(differing)
    const isShown = ([before, after]: readonly [string, string], name: string) =>
      // What was removed, or has another mode only, is no content of its own.
      /^0+$/.test(after) || before === after ? names.has(name) : shown.has(after)
    return Effect.succeed(
      [...text.matchAll(/:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\0([^\0]+)\0/g)].flatMap(
        ([, before = "", after = "", name = ""]) =>
          isShown([before, after], `${folder}${name}`) ? [] : [`${folder}${name}`]
      )
    )
  })
}
