import type { Database } from "bun:sqlite"
import * as fs from "node:fs"
import * as path from "node:path"

/** `PRAGMA application_id` of our files: "ArT1" in ASCII. */
export const APPLICATION_ID = 0x41725431

/** What ends the name of a file that is not finished yet, with the process that writes it. */
export const UNFINISHED = /\.new-(\d+)-[0-9a-f]{8}$/

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return !hasCode(cause, "ESRCH")
  }
}

/**
 * What processes that died have left by unfinished names in the folder of `file`: of that file, and of others. Where
 * several hosts have the folder, a process of the others is not seen to be alive.
 */
export const abandoned = (
  file: string
): { readonly own: ReadonlyArray<string>; readonly others: ReadonlyArray<string> } => {
  const folder = path.dirname(file)
  const left = fs.readdirSync(folder).filter((name) => {
    const pid = UNFINISHED.exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  const isOwn = (name: string) => name.replace(UNFINISHED, "") === path.basename(file)
  const places = (names: ReadonlyArray<string>) => names.map((name) => path.join(folder, name))
  return { own: places(left.filter(isOwn)), others: places(left.filter((name) => !isOwn(name))) }
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
export const backUp = (db: Database, file: string, version: number, at: string): string =>
  copyBeside(db, file, `${file}.backup-${at.replace(/[:.]/g, "-")}-v${version}`)

const RESCUED = ".rescued"

/**
 * Copies a database that has lost its name `file` beside it, and answers where the copy is. Every process that had it
 * open does this, and all but the first find what they would make.
 */
export const rescue = (db: Database, file: string): string => {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  return copyBeside(db, file, file + RESCUED, rescuedOf(file))
}

/** The newest copy that `rescue` has made of a database; undefined when there is none. */
export const rescuedOf = (file: string): string | undefined => {
  const [folder, base] = [path.dirname(file), path.basename(file) + RESCUED]
  return fs
    .readdirSync(folder)
    .filter(
      (name) => name === base || (name.startsWith(`${base}-`) && /^\d+$/.test(name.slice(base.length + 1)))
    )
    .map((name) => ({ place: path.join(folder, name), at: fs.statSync(path.join(folder, name)).mtimeMs }))
    .sort((a, b) => a.at - b.at)
    .at(-1)?.place
}

/**
 * A copy of a database by a name beside `file`, which it has only once it is whole and on the disk; `known` instead
 * where that holds the same.
 */
const copyBeside = (db: Database, file: string, wanted: string, known?: string): string => {
  const unfinished = unfinishedName(file)
  try {
    fs.closeSync(fs.openSync(unfinished, "wx", 0o600))
    db.run("VACUUM INTO ?", [unfinished])
    sync(unfinished)
    if (known !== undefined && holdTheSame(unfinished, known)) return known
    const name = alsoNamed(unfinished, wanted)
    sync(path.dirname(file))
    return name
  } finally {
    fs.rmSync(unfinished, { force: true })
  }
}

/**
 * Removes a copy when an older one of the same database and version holds the same bytes; answers the one that stays.
 * A migration that fails at every start does not fill the disk.
 */
export const keptOnce = (copy: string): string => {
  const [, ofFile = "", version = ""] = /^(.*\.backup-).*(-v\d+)(?:-\d+)?$/.exec(path.basename(copy)) ?? []
  const folder = path.dirname(copy)
  const older = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(ofFile) && name.replace(/(-v\d+)-\d+$/, "$1").endsWith(version))
    .map((name) => path.join(folder, name))
    .find((place) => place !== copy && holdTheSame(place, copy))
  if (older === undefined) return copy
  fs.rmSync(copy)
  return older
}

const PIECE_BYTES = 1024 * 1024

const holdTheSame = (one: string, other: string): boolean => {
  if (fs.statSync(one).size !== fs.statSync(other).size) return false
  const files = [fs.openSync(one, "r"), fs.openSync(other, "r")] as const
  try {
    const pieces = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)] as const
    for (;;) {
      const [first, second] = [fs.readSync(files[0], pieces[0]), fs.readSync(files[1], pieces[1])]
      if (first !== second || pieces[0].compare(pieces[1], 0, second, 0, first) !== 0) return false
      if (first === 0) return true
    }
  } finally {
    for (const file of files) fs.closeSync(file)
  }
}
