import { lstatSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { type GitOptions, git } from "./Git.ts"
import { copyIndex } from "./WorktreeCheckout.ts"

/** Of the names of an index: a million of them. */
const MOST_BYTES = 64 * 1024 * 1024
/** Of files that have a flag and are there. */
const MOST_FLAGGED = 10_000
/** So many names go to one git: a system takes two megabytes of words. */
const AT_ONCE = 200

/**
 * Files that git passes over as its index bids it, and that may be others by now all the same: those that are assumed
 * to be unchanged, and those that a sparse checkout leaves out and that are there. Whose absence is the flag's own
 * purpose are not among them. None when that cannot be told.
 */
export const flaggedIn = (
  options: GitOptions,
  root: string
): Effect.Effect<Option.Option<ReadonlyArray<string>>> =>
  Effect.gen(function* () {
    const all = yield* git({ ...options, mostBytes: MOST_BYTES }, root, ["ls-files", "-v", "-z"])
    if (Option.isNone(all) || all.value.cut) return Option.none()
    const flagged = [...all.value.text.matchAll(/(?<=^|\0)([a-zS]) ([^\0]+)/g)]
    const found: Array<string> = []
    for (const [count, [, flag, name = ""]] of flagged.entries()) {
      if (count % 1000 === 999) yield* Effect.yieldNow()
      if (/s/i.test(`${flag}`) && !isThere(join(root, name))) continue
      if (found.length === MOST_FLAGGED) return Option.none()
      found.push(name)
    }
    return Option.some(found)
  })

const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/**
 * Gives `use` a git that passes over none of these files: by a copy of the index, in which they have no flag and the
 * rest is known as before, so that nothing but them is read. None when there can be no such copy.
 */
export const withoutFlags = <A>(
  options: GitOptions,
  root: string,
  names: ReadonlyArray<string>,
  use: (inside: GitOptions) => Effect.Effect<Option.Option<A>>
): Effect.Effect<Option.Option<A>> =>
  Effect.acquireUseRelease(
    Effect.try(() => mkdtempSync(join(tmpdir(), "agent-runtime-index-"))),
    (folder) =>
      Effect.gen(function* () {
        const index = yield* yield* git(options, root, [
          "rev-parse",
          "--path-format=absolute",
          "--git-path",
          "index"
        ])
        const copy = join(folder, "index")
        yield* Effect.try(() => copyIndex(index.text.replace(/\n$/, ""), copy))
        const inside: GitOptions = {
          ...options,
          settings: [...(options.settings ?? []), ["core.splitIndex", "false"]],
          variables: { ...options.variables, GIT_INDEX_FILE: copy }
        }
        for (let from = 0; from < names.length; from += AT_ONCE)
          for (const flag of ["--no-assume-unchanged", "--no-skip-worktree"])
            yield* yield* git(inside, root, [
              "update-index",
              flag,
              "--",
              ...names.slice(from, from + AT_ONCE)
            ])
        return yield* use(inside)
      }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  ).pipe(Effect.catchAll(() => Effect.succeedNone))
