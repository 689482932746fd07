import {
  closeSync,
  constants,
  fsync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { type FileHandle, open, realpath, stat } from "node:fs/promises"
import type { Observed } from "../../src/artifact/ArtifactStore.ts"
import { isInside, join, parent } from "../../src/artifact/FilePath.ts"
import { codeOf } from "../SystemWord.ts"
import { observedAs } from "./Survey.ts"

/** Codes that mean that nothing can be at a path. */
export const isAbsent = (code: string): boolean =>
  code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP"

/** What is at an absolute path, symlinks followed. Rejects with the system's error when nothing is there. */
export const observeDisk = async (path: string): Promise<Observed> => {
  const realPath = await realpath(path)
  return observedAs(realPath, await stat(realPath, { bigint: true }))
}

/** Where a path leads, as far as it exists: the real path of its deepest existing parent and what is left. */
export type Reached =
  | { readonly at: string; readonly missing: ReadonlyArray<string> }
  /** A symlink on the way whose target does not exist: writing through it could make that target. */
  | { readonly dangling: string }

/**
 * Resolves the symlinks of an absolute path of which the last parts need not exist. Throws the system's error. It does
 * not wait: the kernel answers from memory, in less than a turn of the event loop takes.
 */
export const reach = (path: string): Reached => {
  const missing: Array<string> = []
  for (let at = path; ; at = parent(at)) {
    try {
      return { at: realpathSync.native(at), missing }
    } catch (cause) {
      const code = codeOf(cause)
      if (at === "/" || (code !== "ENOENT" && code !== "ENOTDIR")) throw cause
    }
    if (isSymlink(at)) return { dangling: at }
    missing.unshift(at.slice(at.lastIndexOf("/") + 1))
  }
}

const isSymlink = (path: string): boolean => {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    // Nothing there, or a file on the way to it: no link.
    return false
  }
}

/** Resolves when what was written to an open file or folder is on the disk; rejects with the system's error. */
export const synced = (fd: number): Promise<void> =>
  new Promise((resolve, reject) => fsync(fd, (error) => (error === null ? resolve() : reject(error))))

/** A file that is open and written, under a name that nobody reads, and the name that it is to have. */
export interface Written {
  readonly fd: number
  readonly temporary: string
  readonly path: string
}

/** Makes a new file, for its owner alone, that holds a text; all of it or nothing. The caller closes it. */
export const startFile = (temporary: string, text: string): number => {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeFileSync(fd, text, "utf8")
    return fd
  } catch (cause) {
    closeSync(fd)
    drop(temporary)
    throw cause
  }
}

/**
 * Gives files of one open folder their names, durably: all, or none where a name replaces nothing. The texts that
 * replace others are on the disk before they take the names; new ones are waited for together with their names, as
 * nobody is told of them before, and the disk takes as long for all as for one.
 */
export const publish = async (folder: number, files: ReadonlyArray<Written>): Promise<void> => {
  const texts = () => files.map(({ fd }) => synced(fd))
  const isNew = files.every(({ path }) => lstatSync(path, { throwIfNoEntry: false }) === undefined)
  try {
    if (!isNew) await allOf(texts())
    for (const { path, temporary } of files) renameSync(temporary, path)
    await allOf([synced(folder), ...(isNew ? texts() : [])])
  } catch (cause) {
    for (const { path, temporary } of files) {
      drop(temporary)
      if (isNew) drop(path)
    }
    throw cause
  }
}

/** Waits for all, also after a fault: a descriptor that is being synced must not be closed. */
const allOf = async (waits: ReadonlyArray<Promise<void>>): Promise<void> => {
  for (const end of await Promise.allSettled(waits)) if (end.status === "rejected") throw end.reason
}

/**
 * Runs `use` on a regular file, opened without following a symlink in its last part and without waiting for
 * the other end of a pipe. `undefined` when it is no regular file, or when `inside` is given and the file
 * that was opened lies elsewhere: a folder on the way may have become a symlink since the path was resolved.
 */
export const withFile = async <A>(
  path: string,
  inside: string | undefined,
  use: (file: FileHandle, size: number) => Promise<A>
): Promise<A | undefined> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (!found.isFile()) return undefined
    if (inside !== undefined && !liesInside(file.fd, inside, path)) return undefined
    return await use(file, found.size)
  } finally {
    await file.close()
  }
}

/**
 * Removes a temporary file after a fault that is to be told. A disk that refused the one may refuse the other: what
 * stays is litter under a name that nobody reads.
 */
export const drop = (path: string): void => {
  try {
    rmSync(path, { force: true })
  } catch {
    // The first error is the one that is told.
  }
}

/** Whether an open file or folder lies inside a folder, asked of the kernel where it tells (Linux). */
export const liesInside = (fd: number, folder: string, path: string): boolean =>
  isInside(folder, join("/", placeOf(fd, path)))

const placeOf = (fd: number, path: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return realpathSync.native(path)
  }
}

/** At most `most` bytes from the start of an open file, as UTF-8 with replacement. */
export const readStart = async (file: FileHandle, size: number, most: number): Promise<string> => {
  const buffer = new Uint8Array(Math.max(0, Math.min(size, Math.floor(most))))
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(buffer.subarray(0, filled))
}
