import * as fs from "node:fs"
import * as path from "node:path"
import { APPLICATION_ID, UNFINISHED } from "./Backups.ts"
import { noted } from "./NewestBackup.ts"

// The time stands first, so that names sort as the times do.
const NAME = /^\.backup-\d{4}-\d\d-\d\dT[\dZ-]+-v\d+(-\d+)?$/

/**
 * Says which backup of a database there is: the newest of those that a migration made beside it, by name (names carry
 * the time), and of that which `backup` made wherever it is; else the newest other database of ours beside it (one that
 * `restore` set aside), else where a backup was that cannot be seen now. Undefined when none is known.
 */
export const knownBackup = (file: string): string | undefined => {
  const names = namesBeside(file)
  const made = madeBeside(file, names)
  const elsewhere = noted(file)
  const seen = elsewhere !== undefined && isOurs(elsewhere) ? elsewhere : undefined
  if (seen !== undefined && changedAt(seen) >= changedAt(made)) return `the newest backup is ${seen}`
  if (made !== undefined) return `the newest backup beside it is ${made}`
  const other = otherBeside(file, names)
  if (other !== undefined) return `another database of agent-runtime lies beside it: ${other}`
  return elsewhere === undefined
    ? undefined
    : `the newest backup was ${elsewhere}, where no database of agent-runtime is seen now (moved, not mounted, or not for this user to read)`
}

const namesBeside = (file: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(path.dirname(file)).sort()
  } catch {
    return []
  }
}

const changedAt = (place: string | undefined): number =>
  place === undefined ? 0 : (fs.statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? 0)

const madeBeside = (file: string, names: ReadonlyArray<string>): string | undefined => {
  const base = path.basename(file)
  const made = names.filter((name) => name.startsWith(base) && NAME.test(name.slice(base.length))).at(-1)
  return made === undefined ? undefined : path.join(path.dirname(file), made)
}

const otherBeside = (file: string, names: ReadonlyArray<string>): string | undefined =>
  names
    // One with a journal is in use.
    .filter(
      (name) => name !== path.basename(file) && !UNFINISHED.test(name) && !names.includes(`${name}-wal`)
    )
    .slice(0, MOST_LOOKED_AT)
    .map((name) => path.join(path.dirname(file), name))
    .filter(isOurs)
    .toSorted((a, b) => changedAt(a) - changedAt(b))
    .at(-1)

const MOST_LOOKED_AT = 1_000

/** Whether a file begins as a database of ours does (https://sqlite.org/fileformat2.html, section 1.3). */
const isOurs = (place: string): boolean => {
  let fd: number | undefined
  try {
    if (!fs.statSync(place).isFile()) return false
    fd = fs.openSync(place, "r")
    const header = Buffer.alloc(100)
    return fs.readSync(fd, header, 0, 100, 0) === 100 && header.readUInt32BE(68) === APPLICATION_ID
  } catch {
    return false
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}
