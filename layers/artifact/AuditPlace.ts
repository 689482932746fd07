import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { codeOf } from "../SystemWord.ts"
import { auditSegments } from "./AuditPath.ts"

/** Where an attempt's folder lies: the names of the folders on the way from the artifact root, and all of it. */
export interface Place {
  readonly root: string
  readonly names: ReadonlyArray<string>
  readonly path: string
}

export const placeOf = (root: string, taskId: TaskId, attemptId: AttemptId): Place => {
  const names = auditSegments(taskId, attemptId)
  return { root, names, path: join(root, ...names) }
}

/** What a failure names a folder by, or a file in it: below the artifact root. */
export const shownPath = ({ names }: Pick<Place, "names">, file = ""): string => join(...names, file)

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

const PLANTED = "something that is not ours (a link, a pipe, ...) lies in its place"
const WORDS: Readonly<Record<string, string>> = {
  ELOOP: PLANTED,
  ENOTDIR: PLANTED,
  ENXIO: PLANTED,
  EISDIR: PLANTED
}

/** What a system call's error is to callers. */
export const failed = (path: string, cause: unknown): AuditFailed =>
  cause instanceof AuditFailed
    ? cause
    : new AuditFailed({ path, reason: WORDS[codeOf(cause)] ?? codeOf(cause) })

/**
 * A name below an open folder. Node knows no openat(2): it is reached through the folder's descriptor, so that
 * nothing can be put in the place of a folder between the look and the use.
 */
export const below = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`

/** Runs `open`; where there is nothing to open yet it is made, and opened then. */
const opened = (make: boolean, open: () => number, mkdir: () => void): number => {
  try {
    return open()
  } catch (cause) {
    if (!make || codeOf(cause) !== "ENOENT") throw cause
  }
  try {
    mkdir()
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
  }
  return open()
}

const enter = (parent: number, name: string, make: boolean): number => {
  const path = below(parent, name)
  return opened(
    make,
    () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    () => mkdirSync(path, { mode: 0o700 })
  )
}

/** Runs `use` with the folder open that the names lead to; links on the way below the root are refused. */
export const inFolder = <A>(
  { names, root }: Pick<Place, "names" | "root">,
  make: boolean,
  use: (folder: number) => A
): A => {
  let folder = opened(
    make,
    () => openSync(root, O_RDONLY | O_DIRECTORY),
    () => mkdirSync(root, { recursive: true, mode: 0o700 })
  )
  try {
    for (const name of names) {
      const next = enter(folder, name, make)
      closeSync(folder)
      folder = next
    }
    return use(folder)
  } finally {
    closeSync(folder)
  }
}

/** The descriptor, when it is of a plain file: a hard link or a pipe that was put there before is none of ours. */
export const ours = (fd: number, path: string): number => {
  const stats = fstatSync(fd)
  if (stats.isFile() && stats.nlink === 1) return fd
  closeSync(fd)
  throw new AuditFailed({ path, reason: PLANTED })
}
