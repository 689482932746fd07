import type { Database } from "bun:sqlite"
import * as fs from "node:fs"
import * as path from "node:path"

// The time stands first, so that names sort as the times do.
const NAME = /^\.backup-\d{4}-\d\d-\d\dT[\dZ-]+-v\d+(-\d+)?$/

/** The newest backup beside a database, by name (names carry the time); undefined when there is none. */
export const newestBackup = (file: string): string | undefined => {
  const base = path.basename(file)
  try {
    const newest = fs
      .readdirSync(path.dirname(file))
      .filter((name) => name.startsWith(base) && NAME.test(name.slice(base.length)))
      .sort()
      .at(-1)
    return newest === undefined ? undefined : path.join(path.dirname(file), newest)
  } catch {
    return undefined
  }
}

/** A name beside `file` that nobody else uses, for a file that is not finished yet. */
export const unfinishedName = (file: string): string =>
  `${file}.new-${process.pid}-${crypto.randomUUID().slice(0, 8)}`

/** Waits until a file or a folder is on the disk. */
export const sync = (place: string): void => {
  const fd = fs.openSync(place, "r")
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Whether an error of the file system has this code. */
export const hasCode = (cause: unknown, code: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === code

/**
 * Gives a file a second name, the first free one of `wanted`, `wanted-2`, ...; answers it. linkSync refuses a name
 * that is taken, which rename does not.
 */
export const alsoNamed = (file: string, wanted: string): string => {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}-${count}`
    try {
      fs.linkSync(file, name)
      return name
    } catch (cause) {
      if (!hasCode(cause, "EEXIST")) throw cause
    }
  }
}

/**
 * Copies a database before its first migration of a start and answers where the copy is; the name carries the
 * schema version and the time. The copy has its name only once it is whole and on the disk.
 */
export const backUp = (db: Database, file: string, version: number, at: string): string => {
  const unfinished = unfinishedName(file)
  try {
    fs.closeSync(fs.openSync(unfinished, "wx", 0o600))
    db.run("VACUUM INTO ?", [unfinished])
    sync(unfinished)
    const name = alsoNamed(unfinished, `${file}.backup-${at.replace(/[:.]/g, "-")}-v${version}`)
    sync(path.dirname(file))
    return name
  } finally {
    fs.rmSync(unfinished, { force: true })
  }
}
