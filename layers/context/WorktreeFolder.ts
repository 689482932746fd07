import { type BigIntStats, lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Option } from "effect"
import { readPlainText } from "../config/PlainFile.ts"
import { movesIn } from "./Reflog.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"

const seen = (path: string): BigIntStats | undefined =>
  lstatSync(path, { bigint: true, throwIfNoEntry: false })

/** Whether anything is at a path, be it a link that leads nowhere. */
export const isThere = (path: string): boolean => seen(path) !== undefined

/**
 * The number that the file system has for the folder of a worktree; none where there is none, or a link or a mount in
 * its place. A device's own number is not told: it may be another one when the host has started anew.
 */
export const inodeOf = ({ folder, path }: Pick<WorktreePlace, "folder" | "path">): Option.Option<string> => {
  const found = seen(path)
  return found?.isDirectory() && found.dev === seen(folder)?.dev ? Option.some(`${found.ino}`) : Option.none()
}

/** What is at a worktree's path: the folder that was made, nothing, or something else. */
export type Standing = "there" | "missing" | "replaced"

export const standingOf = (place: WorktreePlace, { inode }: WorktreeRecord): Standing => {
  if (!isThere(place.path)) return "missing"
  const found = inodeOf(place)
  return Option.isSome(found) && (inode === null || found.value === inode) ? "there" : "replaced"
}

/** The name that the folder which was made has by now beside its place; none where it is not there. */
export const movedTo = (
  { folder, name }: WorktreePlace,
  { inode }: WorktreeRecord
): Option.Option<string> => {
  if (inode === null) return Option.none()
  const others = readdirSync(folder).filter((other) => other !== name)
  return Option.fromNullable(
    others.find((other) => Option.contains(inodeOf({ folder, path: join(folder, other) }), inode))
  )
}

/**
 * What is not as it was made of all that leads from a worktree to its repository, as a clause; none where everything is.
 * Who works in it may have made a repository of it, whose commits nothing else has.
 */
export const mislaid = ({ path }: WorktreePlace, { base, entry }: WorktreeRecord): Option.Option<string> => {
  if (entry === null) return Option.some("as it has no entry in its repository")
  if (!holds(join(path, ".git"), `gitdir: ${entry}`))
    return Option.some(
      "as its .git is not the file that was made: what was committed by what is there now may be nowhere else"
    )
  const isEntry =
    seen(entry)?.isDirectory() === true &&
    holds(join(entry, "gitdir"), join(path, ".git")) &&
    holds(join(entry, "commondir"), "../..") &&
    !isThere(join(entry, "objects"))
  if (!isEntry) return Option.some("as its entry in the repository is not the one that was made")
  return movesIn(join(entry, "logs/HEAD"))[0]?.sha === base
    ? Option.none()
    : Option.some(
        "as the log of its HEAD does not go back to its base: there may be commits that nothing else names"
      )
}

const holds = (file: string, line: string): boolean => {
  try {
    return seen(file)?.isFile() === true && readPlainText(file).trimEnd() === line
  } catch {
    return false
  }
}
