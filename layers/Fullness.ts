import * as fs from "node:fs"
import * as path from "node:path"

/** Why a file could not grow, as operators are told of it. */
export interface Fullness {
  readonly what: string
  readonly remedy: string
}

const DISK: Fullness = { what: "the disk is full", remedy: "free some space" }

const LIMIT: Fullness = {
  what: "the limit on the size of files is reached",
  remedy: "raise the limit on the size of files (LimitFSIZE=, ulimit -f)"
}

/** What SQLite writes at once is less; a disk with as much room is not the reason. */
const ROOM_BYTES = 1024 * 1024

/** The words for a file that could not grow, by the system's word where there is one (SQLite has one for both), and where it lies. */
export const fullness = (code: string, file: string): Fullness => {
  if (code === "EFBIG") return LIMIT
  if (code === "ENOSPC" || code === "EDQUOT") return DISK
  return isLimited() && hasRoom(path.dirname(file)) ? LIMIT : DISK
}

const isLimited = (): boolean => {
  try {
    return /^Max file size +\d/m.test(fs.readFileSync("/proc/self/limits", "utf8"))
  } catch {
    return false
  }
}

const hasRoom = (folder: string): boolean => {
  try {
    const { bavail, bsize } = fs.statfsSync(folder)
    return bavail * bsize >= ROOM_BYTES
  } catch {
    return false
  }
}
