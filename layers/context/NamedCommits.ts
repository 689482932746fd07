import { type Dirent, readdirSync } from "node:fs"
import { join } from "node:path"
import { Either } from "effect"
import { counted } from "../../src/domain/Figure.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"
import { movesIn } from "./Reflog.ts"

/** Of files that name commits, and of the commits that they name. */
const MOST = 10_000

/**
 * gitrepository-layout: what names no commit, or none that would go with the folder: `worktrees` and `modules` are
 * looked at as repositories, and the refs that a remote has are of what others hold.
 */
const ASIDE =
  /^(?:HEAD|index.*|sharedindex\..*|objects|hooks|info|modules|worktrees|packed-refs|config.*|refs\/remotes|logs\/refs\/remotes)$/

/**
 * What the git folder of a repository, or of a worktree in it, names beside HEAD: the refs that are its own, what git
 * puts down while it works (ORIG_HEAD, FETCH_HEAD, the state of a rebase), and all that the logs of these say. Left says
 * why that cannot be told.
 */
export const namedIn = (gitFolder: string): Either.Either<ReadonlyArray<string>, string> => {
  const found = new Set<string>()
  const waiting = [""]
  let files = 0
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = entriesOf(join(gitFolder, folder))
    if (typeof entries === "string")
      return Either.left(`${join(gitFolder, folder)} cannot be read: ${entries}`)
    for (const entry of entries) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (ASIDE.test(name)) continue
      if (entry.isDirectory()) {
        waiting.push(name)
        continue
      }
      const path = join(gitFolder, name)
      const named = name.startsWith("logs/") ? movesIn(path).map(({ sha }) => sha) : leadingIn(path)
      if (named === undefined) return Either.left(`${path} cannot be read`)
      for (const sha of named) found.add(sha)
      if (++files > MOST || found.size > MOST)
        return Either.left(`${gitFolder} names more than ${counted(MOST)} commits`)
    }
  }
  return Either.right([...found])
}

const entriesOf = (folder: string): ReadonlyArray<Dirent> | string => {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    return codeOf(cause)
  }
}

/** The ids that lines of a file begin with. */
const leadingIn = (file: string): ReadonlyArray<string> | undefined => {
  try {
    return [...readPlainText(file).matchAll(/^[0-9a-f]{40}(?:[0-9a-f]{24})?\b/gm)].map(([sha]) => sha)
  } catch {
    return undefined
  }
}
