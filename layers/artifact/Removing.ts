import {
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync
} from "node:fs"
import { setImmediate } from "node:timers/promises"
import { codeOf } from "../SystemWord.ts"
import { below } from "./AuditPlace.ts"

// A call to the system takes microseconds, and a promise for it ten times as long: calls are made at once, and
// others get their turn between a few of them. Folders are numbers of open files, see AuditPlace.

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
/** open(2): a descriptor of a folder that this user may not read; Linux, every architecture that Bun runs on. */
const O_PATH = 0o10000000
/** So many entries are looked at before others get their turn. */
const ENTRIES_AT_ONCE = 50
/** Counting for a dry run keeps a folder of each level open. */
const DEEPEST_COUNTED = 32

const isGone = (cause: unknown): boolean => codeOf(cause) === "ENOENT"

/** What `run` answers; undefined when what it is about is gone, or fails with one of `codes`. */
const unlessGone = <A>(run: () => A, ...codes: ReadonlyArray<string>): A | undefined => {
  try {
    return run()
  } catch (cause) {
    if (isGone(cause) || codes.includes(codeOf(cause))) return undefined
    throw cause
  }
}

/** Opens a folder in an open one, never through a link; undefined when it is gone. */
export const openIn = (parent: number, name: string): number | undefined => {
  const path = below(parent, name)
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (cause) {
    if (isGone(cause)) return undefined
    if (codeOf(cause) !== "EACCES") throw cause
  }
  // Its agent took the rights away. The descriptor is of the folder itself, so no link can be in its place.
  const held = openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${held}`, 0o700)
  } finally {
    closeSync(held)
  }
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** The entries of an open folder. */
export async function* entriesOf(folder: number): AsyncGenerator<Dirent> {
  const listing = opendirSync(below(folder, "."))
  try {
    for (let count = 1; ; count++) {
      const entry = listing.readSync()
      if (entry === null) return
      yield entry
      if (count % ENTRIES_AT_ONCE === 0) await setImmediate()
    }
  } finally {
    listing.closeSync()
  }
}

/** What an entry of an open folder is itself, a link not followed; undefined when it is gone. */
export const seenIn = (folder: number, name: string): Stats | undefined =>
  unlessGone(() => lstatSync(below(folder, name)))

/** Removes a file, link or pipe of an open folder; answers its bytes, none when it is gone. */
export const removeFile = (folder: number, name: string, dryRun: boolean): number | undefined =>
  unlessGone(() => {
    const found = lstatSync(below(folder, name))
    if (found.isDirectory()) return undefined
    if (!dryRun) unlinkSync(below(folder, name))
    // The bytes of a file with another name stay.
    return found.isFile() && found.nlink === 1 ? found.size : 0
  })

/** Removes an empty folder of an open one; false when it is gone, or not empty. */
export const removeEmpty = (parent: number, name: string): boolean =>
  unlessGone(
    () => {
      rmdirSync(below(parent, name))
      return true
    },
    "ENOTEMPTY",
    "EEXIST"
  ) === true

/** Whether a folder of an open one is there and has nothing in it, as far as this user may see. */
export const isEmpty = (parent: number, name: string): boolean =>
  unlessGone(() => readdirSync(below(parent, name)).length === 0, "EACCES", "ELOOP", "ENOTDIR") === true

/**
 * Removes a folder of an open one with all that is in it; answers the bytes, none when it is gone. Folders in it
 * are moved up before they are emptied: however deep an agent has nested them, two of them are open at a time.
 */
export const removeTree = async (parent: number, name: string): Promise<number | undefined> => {
  const top = openIn(parent, name)
  if (top === undefined) return undefined
  let bytes = 0
  try {
    // A folder that changes while it is read may not tell all at once.
    for (let isEmpty = false; !isEmpty; ) {
      isEmpty = true
      for await (const entry of entriesOf(top)) {
        isEmpty = false
        bytes += entry.isDirectory()
          ? await empty(top, entry.name)
          : (removeFile(top, entry.name, false) ?? 0)
      }
    }
  } finally {
    closeSync(top)
  }
  removeEmpty(parent, name)
  return bytes
}

const empty = async (top: number, name: string): Promise<number> => {
  const folder = openIn(top, name)
  if (folder === undefined) return 0
  let bytes = 0
  try {
    for await (const entry of entriesOf(folder)) {
      if (!entry.isDirectory()) bytes += removeFile(folder, entry.name, false) ?? 0
      else renameSync(below(folder, entry.name), below(top, `.prune-${crypto.randomUUID()}`))
    }
  } finally {
    closeSync(folder)
  }
  removeEmpty(top, name)
  return bytes
}

/** The bytes of the files in a folder of an open one, as far as this user may read it and 32 levels deep. */
export const bytesIn = async (parent: number, name: string, depth = 0): Promise<number> => {
  const folder = unlessGone(
    () => openSync(below(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    "EACCES",
    "ELOOP",
    "ENOTDIR"
  )
  if (folder === undefined) return 0
  let bytes = 0
  try {
    for await (const entry of entriesOf(folder))
      if (!entry.isDirectory()) bytes += removeFile(folder, entry.name, true) ?? 0
      else if (depth < DEEPEST_COUNTED) bytes += await bytesIn(folder, entry.name, depth + 1)
  } finally {
    closeSync(folder)
  }
  return bytes
}

/** Runs `use` with the folder open that the names lead to from `root`, no link followed; none when it is gone. */
export const within = async <A>(
  root: string,
  names: ReadonlyArray<string>,
  use: (folder: number) => A | Promise<A>
): Promise<A | undefined> => {
  let folder = rootOf(root)
  try {
    for (const name of names) {
      if (folder === undefined) return undefined
      const next = openIn(folder, name)
      closeSync(folder)
      folder = next
    }
    return folder === undefined ? undefined : await use(folder)
  } finally {
    if (folder !== undefined) closeSync(folder)
  }
}

const rootOf = (root: string): number | undefined => {
  try {
    return openSync(root, O_RDONLY | O_DIRECTORY)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw cause
  }
}

/** The folders and files in an open folder, by name. */
export async function* namesIn(
  root: string,
  names: ReadonlyArray<string>,
  kind: "folders" | "files"
): AsyncGenerator<string> {
  const folder = await within(root, names, (held) =>
    openSync(`/proc/self/fd/${held}`, O_RDONLY | O_DIRECTORY)
  )
  if (folder === undefined) return
  try {
    for await (const entry of entriesOf(folder))
      if (kind === "folders" ? entry.isDirectory() : entry.isFile()) yield entry.name
  } finally {
    closeSync(folder)
  }
}
