import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { StoreUnavailable, writableRemedy } from "../../src/store/StoreError.ts"
import { fullness } from "../Fullness.ts"
import { ownedLike } from "../Ownership.ts"
import { APPLICATION_ID, hasCode, rescuedOf, sync, unfinishedName } from "./Backups.ts"
import { codeOf } from "./connection.ts"
import { isHeld } from "./Holders.ts"
import { latest, type Migration } from "./Migrations.ts"
import { refusalOf } from "./SchemaLoss.ts"
import { identity, type Marks, marksOf, orBackup, refuse } from "./StoreMarks.ts"
import { noRoomToOpen } from "./storeError.ts"

/** The first 100 bytes of a SQLite file (https://sqlite.org/fileformat2.html, section 1.3). */
const readHeader = (file: string) => {
  const fd = fs.openSync(file, "r")
  try {
    const bytes = Buffer.alloc(100)
    const read = fs.readSync(fd, bytes, 0, 100, 0)
    return { size: fs.fstatSync(fd).size, bytes: bytes.subarray(0, read) }
  } finally {
    fs.closeSync(fd)
  }
}

/** Where the journal of a database and its index are: beside the real file where `file` is a symbolic link. */
const journalOf = (file: string) => {
  const place = isAbsent(file) ? file : fs.realpathSync(file)
  return { journal: `${place}-wal`, index: `${place}-shm` }
}

const walIsEmpty = (file: string): boolean => {
  try {
    return fs.statSync(journalOf(file).journal).size === 0
  } catch {
    return true
  }
}

/** The write version in the header of a database that is in WAL mode. */
const IN_WAL_MODE = 2

const endIsMissing = (file: string): boolean => {
  if (!walIsEmpty(file)) return false
  const { size, bytes } = readHeader(file)
  const pageSize = bytes.readUInt16BE(16) === 1 ? 65_536 : bytes.readUInt16BE(16)
  return size < pageSize * bytes.readUInt32BE(28) && walIsEmpty(file)
}

/** Whether processes have a database open whose journal, or the index of that, is not beside it. */
const isSplit = (file: string): boolean => {
  const { index, journal } = journalOf(file)
  return (isAbsent(journal) || isAbsent(index)) && isHeld(file, "database")
}

const BETWEEN_LOOKS_MS = 10
/** One that opens the database makes both just after it has its lock; one that closes it removes them just before. */
const LOOKS = 300

/**
 * Why a database that others have open must not be opened too: SQLite would make a second journal or a second index
 * of it, and each process would write over what the others wrote. They notice it themselves within seconds.
 */
const split = (file: string): StoreUnavailable | undefined => {
  for (let looks = 0; isSplit(file); looks++) {
    if (looks === LOOKS)
      return refuse(
        file,
        "a process has it open whose journal (-wal), or the index of that (-shm), was removed or is elsewhere",
        "wait until that process has ended: one of agent-runtime notices it within seconds, saves what was recorded and ends"
      )
    Bun.sleepSync(BETWEEN_LOOKS_MS)
  }
  return undefined
}

/** Why a link that was put in the place of a database must not be followed yet: its journal was left behind. */
const leftBehind = (file: string): StoreUnavailable | undefined => {
  const left = `${file}-wal`
  const { journal } = journalOf(file)
  if (fs.lstatSync(file).isSymbolicLink() && !isAbsent(left) && fs.statSync(left).size > 0)
    if (isAbsent(journal) || fs.realpathSync(left) !== journal)
      return refuse(
        file,
        `it is a link, and a journal that belongs to a file in its place is there: ${left}`,
        `when the database was moved without it, put the database back in the place of the link; else move ${left} away`
      )
  return undefined
}

/**
 * The marks as SQLite sees them, journal included, or why it must not be opened, without changing a byte of either;
 * undefined when it cannot read them so. Throws when the database is damaged.
 */
const peek = (file: string, migrations: ReadonlyArray<Migration>): StoreUnavailable | Marks | undefined => {
  let db: Database | undefined
  try {
    db = new Database(file, { readonly: true })
    db.run("PRAGMA busy_timeout = 5000")
    return refusalOf(db, file, migrations) ?? marksOf(db)
  } catch (cause) {
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(cause))) throw cause
    return undefined
  } finally {
    db?.close()
  }
}

/**
 * The schema version of a file, or why it must not be opened, before SQLite can change it: no file, empty,
 * not a database, cut short, of another program, or newer than `migrations`. What is in it is looked at only where a
 * journal lies beside it, for then a connection that writes would take that over: see refusalOf.
 */
export const inspect = (file: string, migrations: ReadonlyArray<Migration>): StoreUnavailable | number => {
  const replace = (reason: string, anew = "") => refuse(file, reason, orBackup(file, PUT_BACK, anew))
  const kind = fs.statSync(file)
  if (!kind.isFile())
    return refuse(
      file,
      `it is ${kind.isDirectory() ? "a folder" : "not a regular file"}`,
      "name another dbPath"
    )
  const { size, bytes } = readHeader(file)
  if (size === 0)
    return replace("it is an empty file, which is not an empty queue", ", or move it away to begin anew")
  if (bytes.length < 100 || bytes.toString("latin1", 0, 16) !== "SQLite format 3\0")
    return replace("it is not a SQLite database, or it is damaged", ", or move it away to begin anew")
  const header = { applicationId: bytes.readUInt32BE(68), version: bytes.readUInt32BE(60) }
  const refused = identity(file, header, latest(migrations))
  if (refused !== undefined) return refused
  const apart = (bytes[18] === IN_WAL_MODE ? split(file) : undefined) ?? leftBehind(file)
  if (apart !== undefined) return apart
  // Another process may be taking its journal over between two of our looks: a file that is cut stays so.
  if (endIsMissing(file) && endIsMissing(file))
    return replace("it is damaged: the end of the file is missing")
  const found = (walIsEmpty(file) ? undefined : peek(file, migrations)) ?? header
  return found instanceof StoreUnavailable ? found : found.version
}

const PUT_BACK = "put a backup in its place (agent-runtime restore --from FILE)"

/** SQLite takes paths of so many bytes, and a new database has a longer name until it is whole. */
const MOST_PATH_BYTES = 504
const UNFINISHED_BYTES = unfinishedName("").length

/** SQLite says of a path that is too long for it only that it cannot be opened. */
const tooLong = (file: string, code: string): StoreUnavailable | undefined => {
  const bytes = Buffer.byteLength(file)
  const most = MOST_PATH_BYTES - UNFINISHED_BYTES
  return code.startsWith("SQLITE_CANTOPEN") && bytes > most
    ? refuse(
        file,
        `it cannot be opened: its path has ${bytes} bytes, more than the ${most} that a database of SQLite may have here`,
        "name a shorter stateDir or dbPath"
      )
    : undefined
}

/** Why a file cannot be read by its own mode; undefined where it is a folder on the way that bars it. */
const unreadable = (file: string): StoreUnavailable | undefined => {
  try {
    const { mode, uid } = fs.statSync(file)
    const told = (mode & 0o777).toString(8).padStart(3, "0")
    return refuse(
      file,
      `this user may not read it (its mode is ${told}, its owner is uid ${uid})`,
      uid === process.getuid?.() ? `chmod u+rw ${file}` : writableRemedy(file)
    )
  } catch {
    return undefined
  }
}

/** Why a file could not be opened, whatever step it was that failed. */
export const unopened = (file: string, cause: unknown): StoreUnavailable => {
  if (cause instanceof StoreUnavailable) return cause
  const lack = /^(SQLITE_CANTOPEN|EMFILE|ENFILE)/.test(codeOf(cause)) ? noRoomToOpen(file) : undefined
  if (lack !== undefined) return lack
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(cause)))
    return refuse(file, `it is damaged (${codeOf(cause)})`, orBackup(file, PUT_BACK))
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG)$/.test(codeOf(cause))) {
    const { remedy, what } = fullness(codeOf(cause), file)
    return refuse(file, what, `${remedy} and try again; nothing was changed`)
  }
  const barred = codeOf(cause) === "EACCES" ? unreadable(file) : undefined
  if (barred !== undefined) return barred
  return (
    tooLong(file, codeOf(cause)) ??
    refuse(
      file,
      `it cannot be opened (${cause instanceof Error ? cause.message : cause})`,
      "check the path, the disk's space and the rights of the folder"
    )
  )
}

/**
 * Makes sure that a database of ours is at `file`: checks the one that is there, or has `build` fill a new
 * one. A new one appears whole and at once (a linked name), so no process ever meets it half made and a death
 * in between leaves nothing but a temporary file. Answers its schema version.
 */
export const ensure = (
  file: string,
  migrations: ReadonlyArray<Migration>,
  build: (db: Database) => void
): Effect.Effect<number, StoreUnavailable> =>
  Effect.try({
    try: () => {
      if (isAbsent(file)) create(file, build)
      return inspect(file, migrations)
    },
    catch: (cause) => unopened(file, cause)
  }).pipe(
    Effect.flatMap((found) =>
      found instanceof StoreUnavailable ? Effect.fail(found) : Effect.succeed(found)
    )
  )

const create = (file: string, build: (db: Database) => void): void => {
  const folder = path.dirname(file)
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  // SQLite would play a journal that was left behind into the new file. The second look is for another
  // process that has just made the database and its journal.
  if (!walIsEmpty(file) && isAbsent(file))
    throw refuse(
      file,
      "it is missing, but its journal (-wal) is there",
      isHeld(journalOf(file).index, "index")
        ? "wait until the process that has it open has ended: one of agent-runtime notices it within seconds and saves what was recorded beside it; then this says how to go on"
        : orBackup(file, "put the database back beside it", ", or move the journal away")
    )
  const rescued = rescuedOf(file)
  if (rescued !== undefined && isAbsent(file))
    throw refuse(
      file,
      `it is missing, but what a process saved of it when it was lost is there: ${rescued}`,
      `put that in its place with: agent-runtime restore --from ${rescued} (or move it away to begin anew)`
    )
  const unfinished = unfinishedName(file)
  try {
    fill(unfinished, build)
    sync(unfinished)
    ownedLike(unfinished, folder)
    give(unfinished, file)
    sync(folder)
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) fs.rmSync(unfinished + suffix, { force: true })
  }
}

/** A move changes a hundred bytes in each of a few pages and the journal takes whole ones: half as large, half is written. */
const PAGE_BYTES = 2_048

const fill = (file: string, build: (db: Database) => void): void => {
  fs.closeSync(fs.openSync(file, "wx", 0o600))
  const db = new Database(file, { readwrite: true, create: false })
  try {
    db.run(`PRAGMA page_size = ${PAGE_BYTES}`)
    db.run("PRAGMA journal_mode = WAL")
    db.run(`PRAGMA application_id = ${APPLICATION_ID}`)
    build(db)
    db.run("PRAGMA wal_checkpoint(TRUNCATE)")
  } finally {
    db.close()
  }
}

const give = (unfinished: string, file: string): void => {
  try {
    fs.linkSync(unfinished, file)
  } catch (cause) {
    if (!hasCode(cause, "EEXIST")) throw cause
    // Another process was quicker: its database is as good as ours.
    if (isAbsent(file))
      throw refuse(file, "it is a symbolic link to a file that is not there", "remove the link, or mend it")
  }
}

/** Whether a path is absent (as opposed to unreadable). */
export const isAbsent = (file: string): boolean => {
  try {
    fs.statSync(file)
    return false
  } catch (cause) {
    return hasCode(cause, "ENOENT")
  }
}
