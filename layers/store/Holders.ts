import * as fs from "node:fs"

/**
 * Where SQLite locks what it has open: in a database the bytes of its shared lock, in the index of a journal those of
 * https://sqlite.org/walformat.html, section 2.3.
 */
const LOCKED = { database: [1_073_741_824, 1_073_742_335], index: [120, 128] } as const

/** `1: POSIX  ADVISORY  READ 4711 fe:00:2337379 1073741826 1073742335`, a process that waits with ` -> ` before the kind. */
const LOCK = /\b(?:POSIX|OFDLCK)\s+\S+\s+\S+\s+-?\d+\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s+(\d+)\s/

/**
 * Whether a process has a database, or the index of a journal, open just now, by the kernel's list of locks. False
 * where that is not told: of processes of another container, of some file systems, and beside Linux.
 */
export const isHeld = (file: string, as: keyof typeof LOCKED): boolean => {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return false
  const [major, minor] = [(found.dev >> 8) & 0xfff, (found.dev & 0xff) | ((found.dev >> 12) & 0xfff00)]
  const [first, last] = LOCKED[as]
  return locks().some((line) => {
    const [, ofMajor = "", ofMinor = "", inode, at] = LOCK.exec(line) ?? []
    return (
      inode === String(found.ino) &&
      Number.parseInt(ofMajor, 16) === major &&
      Number.parseInt(ofMinor, 16) === minor &&
      Number(at) >= first &&
      Number(at) <= last
    )
  })
}

const locks = (): ReadonlyArray<string> => {
  try {
    return fs.readFileSync("/proc/locks", "utf8").split("\n")
  } catch {
    return []
  }
}
