import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { Either } from "effect"
import { readPlainText } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"

/** What is in the folder of a submodule. Whatever is there an agent may have written. */
export type Filling =
  /** Nothing that a difference of what is around it would not show as well. */
  | { readonly _tag: "Empty" }
  /** Files, and no repository that they are of. */
  | { readonly _tag: "Plain" }
  /** `isInside`: the repository itself lies in the folder. */
  | {
      readonly _tag: "Cloned"
      readonly repository: string
      readonly objects: string
      readonly isInside: boolean
    }

const EMPTY: Filling = { _tag: "Empty" }
const PLAIN: Filling = { _tag: "Plain" }

export const fillingOf = (path: string): Filling => {
  try {
    // Where a symlink or a file stands in its way, that is a difference by itself.
    if (!lstatSync(path).isDirectory() || realpathSync(path) !== path) return EMPTY
    const names = readdirSync(path)
    if (names.length === 0) return EMPTY
    return names.includes(".git") ? clonedIn(path) : PLAIN
  } catch (cause) {
    return codeOf(cause) === "ENOENT" ? EMPTY : PLAIN
  }
}

const clonedIn = (path: string): Filling => {
  try {
    const at = join(path, ".git")
    const isInside = lstatSync(at).isDirectory()
    const repository = statSync(at).isDirectory() ? at : resolve(path, gitdirIn(at))
    const objects = join(commonOf(repository), "objects")
    return statSync(objects).isDirectory() ? { _tag: "Cloned", repository, objects, isInside } : PLAIN
  } catch {
    return PLAIN
  }
}

/** gitrepository-layout: a `.git` that is a file. */
const gitdirIn = (file: string): string => {
  const found = /^gitdir: (.+?)\r?\n?$/.exec(readPlainText(file))?.[1]
  if (found === undefined) throw new Error("it names no repository")
  return found
}

const commonOf = (repository: string): string => {
  try {
    return resolve(repository, readPlainText(join(repository, "commondir")).trim())
  } catch {
    return repository
  }
}

const MOST_FOLDERS = 10_000

/** The repositories below a folder, itself and those of their own submodules among them; left says why they cannot be told. */
export const repositoriesIn = (folder: string): Either.Either<ReadonlyArray<string>, string> => {
  const found: Array<string> = []
  const waiting = [folder]
  for (let at = 0; at < waiting.length; at++) {
    if (at === MOST_FOLDERS) return Either.left(`there are more than ${MOST_FOLDERS} folders in ${folder}`)
    const one = waiting[at]!
    const inside = foldersIn(one)
    if (inside === undefined) return Either.left(`${one} cannot be read`)
    if (inside.has("objects") && inside.has("refs")) {
      found.push(one)
      waiting.push(join(one, "modules"))
    } else for (const name of inside) waiting.push(join(one, name))
  }
  return Either.right(found)
}

/** Where a repository has what is of its own HEAD, and what is of each of its worktrees'. */
export const worktreesOf = (repository: string): ReadonlyArray<string> => [
  repository,
  ...[...(foldersIn(join(repository, "worktrees")) ?? [])].map((name) => join(repository, "worktrees", name))
]

/** The folders in a folder, no symlinks; none where it is not there, undefined where it cannot be read. */
const foldersIn = (folder: string): ReadonlySet<string> | undefined => {
  let entries: ReadonlyArray<Dirent>
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    const code = codeOf(cause)
    return code === "ENOENT" || code === "ENOTDIR" ? new Set() : undefined
  }
  return new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
}
