import { constants, type Dirent } from "node:fs"
import { chmod, type FileHandle, lstat, open, opendir, rename, rmdir, unlink } from "node:fs/promises"
import { below, codeOf } from "./AuditPlace.ts"

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
/** open(2): a descriptor of a folder that this user may not read; Linux, every architecture that Bun runs on. */
const O_PATH = 0o10000000

const isGone = (cause: unknown): boolean => codeOf(cause) === "ENOENT"

/** Opens a folder in an open one, never through a link; undefined when it is gone. */
export const openIn = async (parent: FileHandle, name: string): Promise<FileHandle | undefined> => {
  const path = below(parent.fd, name)
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (cause) {
    if (isGone(cause)) return undefined
    if (codeOf(cause) !== "EACCES") throw cause
  }
  // Its agent took the rights away. The descriptor is of the folder itself, so no link can be in its place.
  const held = await open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  try {
    await chmod(`/proc/self/fd/${held.fd}`, 0o700)
  } finally {
    await held.close()
  }
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** The entries of an open folder, a few at a time. */
export async function* entriesOf(folder: FileHandle): AsyncGenerator<Dirent> {
  yield* await opendir(below(folder.fd, "."))
}

/** What an entry of an open folder is itself, a link not followed; undefined when it is gone. */
export const seenIn = async (folder: FileHandle, name: string) => {
  try {
    return await lstat(below(folder.fd, name))
  } catch (cause) {
    if (isGone(cause)) return undefined
    throw cause
  }
}

/** Removes a file, link or pipe of an open folder; answers its bytes, none when it is gone. */
export const removeFile = async (
  folder: FileHandle,
  name: string,
  dryRun: boolean
): Promise<number | undefined> => {
  try {
    const found = await seenIn(folder, name)
    if (found === undefined || found.isDirectory()) return undefined
    if (!dryRun) await unlink(below(folder.fd, name))
    // The bytes of a file with another name stay.
    return found.isFile() && found.nlink === 1 ? found.size : 0
  } catch (cause) {
    if (isGone(cause)) return undefined
    throw cause
  }
}

/** Removes an empty folder of an open one; false when it is gone, or not empty. */
export const removeEmpty = async (parent: FileHandle, name: string): Promise<boolean> => {
  try {
    await rmdir(below(parent.fd, name))
    return true
  } catch (cause) {
    if (isGone(cause) || codeOf(cause) === "ENOTEMPTY" || codeOf(cause) === "EEXIST") return false
    throw cause
  }
}

/**
 * Removes a folder of an open one with all that is in it; answers the bytes, none when it is gone. Folders in it
 * are moved up before they are emptied: however deep an agent has nested them, two of them are open at a time.
 */
export const removeTree = async (parent: FileHandle, name: string): Promise<number | undefined> => {
  const top = await openIn(parent, name)
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
          : ((await removeFile(top, entry.name, false)) ?? 0)
      }
    }
  } finally {
    await top.close()
  }
  await removeEmpty(parent, name)
  return bytes
}

const empty = async (top: FileHandle, name: string): Promise<number> => {
  const folder = await openIn(top, name)
  if (folder === undefined) return 0
  let bytes = 0
  try {
    for await (const entry of entriesOf(folder)) {
      if (!entry.isDirectory()) bytes += (await removeFile(folder, entry.name, false)) ?? 0
      else await rename(below(folder.fd, entry.name), below(top.fd, `.prune-${crypto.randomUUID()}`))
    }
  } finally {
    await folder.close()
  }
  await removeEmpty(top, name)
  return bytes
}

/** The bytes of the files in a folder of an open one; of folders below the first level only what is readable. */
export const bytesIn = async (parent: FileHandle, name: string, depth = 0): Promise<number> => {
  const folder = await open(below(parent.fd, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((cause) => {
    if (["ENOENT", "EACCES", "ELOOP", "ENOTDIR"].includes(codeOf(cause))) return undefined
    throw cause
  })
  if (folder === undefined) return 0
  let bytes = 0
  try {
    for await (const entry of entriesOf(folder))
      if (!entry.isDirectory()) bytes += (await removeFile(folder, entry.name, true)) ?? 0
      else if (depth < DEEPEST_COUNTED) bytes += await bytesIn(folder, entry.name, depth + 1)
  } finally {
    await folder.close()
  }
  return bytes
}

/** Counting for a dry run keeps a folder of each level open. */
const DEEPEST_COUNTED = 32
