import { Database } from "bun:sqlite"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { open } from "node:fs/promises"
import * as path from "node:path"
import { DateTime, Effect, Option, Schedule, type Scope } from "effect"
import { now } from "../../src/domain/Time.ts"
import { BackupFailed, type BackupFile, type Restored, type Tell } from "../../src/store/BackupFiles.ts"
import { ownedLike } from "../Ownership.ts"
import { check } from "./BackupCheck.ts"
import { BESIDE, discard, failed } from "./BackupPlace.ts"
import { SEAL } from "./BackupSeal.ts"
import { APPLICATION_ID, alsoNamed, sync, unfinishedName } from "./Backups.ts"
import { codeOf } from "./connection.ts"
import { type Given, givenIn, goOnFrom, sinceWhen } from "./Given.ts"
import { mib, telling } from "./Progress.ts"
import { isAbsent } from "./StoreFile.ts"
import { marksOf } from "./StoreMarks.ts"

const CHUNK = 1024 * 1024
/** A command that is about to end is waited for. */
const untilFree = Schedule.spaced("100 millis").pipe(Schedule.upTo("2 seconds"))

/** The database that will be replaced, in hand: nobody else has it open, and all of it is in its one file. */
type Present =
  | { readonly _tag: "Absent" }
  /** SQLite cannot open it: it is kept as it is, its journal beside it. */
  | { readonly _tag: "Damaged" }
  | { readonly _tag: "Held"; readonly given: Given }

const inUse = (database: string) =>
  new BackupFailed({
    code: "database_in_use",
    reason: `another process has ${database} open`,
    remedy:
      "stop every agent-runtime of this configuration (dispatch, serve, up, commands that follow), then try again"
  })

const foreign = (database: string) =>
  new BackupFailed({
    code: "path_refused",
    reason: `${database} is a database of another program, which is not replaced`,
    remedy: "name another dbPath in the configuration, or move that file away"
  })

/** The whole backup by a new name beside the database, the same bytes that were checked. */
const copied = (from: string, to: string, sha256: string) =>
  Effect.tryPromise({
    try: async () => {
      const hash = createHash("sha256")
      const source = await open(from, "r")
      const target = await open(to, "wx", 0o600).catch(async (cause) => {
        await source.close()
        throw cause
      })
      try {
        const buffer = Buffer.alloc(CHUNK)
        for (;;) {
          const { bytesRead } = await source.read(buffer, 0, CHUNK, null)
          if (bytesRead === 0) break
          const piece = buffer.subarray(0, bytesRead)
          hash.update(piece)
          for (let done = 0; done < bytesRead; )
            done += (await target.write(piece, done, bytesRead - done)).bytesWritten
        }
      } finally {
        await source.close()
        await target.close()
      }
      if (hash.digest("hex") !== sha256)
        throw new BackupFailed({
          code: "backup_invalid",
          reason: `${from} changed while it was read`,
          remedy: "let nobody write it, then try again"
        })
    },
    catch: (cause) => failed(`${from} could not be copied to ${path.dirname(to)}`, cause, to)
  })

/**
 * Takes a database out of everybody's reach. SQLite gives the lock to one who leaves WAL mode only when no other
 * connection is there; the journal is then in the file. Whoever has opened the file meanwhile cannot make a
 * journal beside the new database later: a file in this mode that has lost its name is refused by SQLite itself.
 */
const seized = (database: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: (): { readonly present: Present; readonly close: () => void } => {
        if (isAbsent(database)) return { present: { _tag: "Absent" }, close: () => undefined }
        // Opening what is no database would change it, and cost its journal.
        if (!beginsAsOne(database)) return { present: { _tag: "Damaged" }, close: () => undefined }
        const db = new Database(database, { readwrite: true, create: false })
        try {
          return { present: { _tag: "Held", given: taken(db, database) }, close: () => db.close() }
        } catch (cause) {
          db.close()
          if (cause instanceof BackupFailed) throw cause
          if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(cause))) throw inUse(database)
          if (!/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(cause))) throw cause
          return { present: { _tag: "Damaged" }, close: () => undefined }
        }
      },
      catch: (cause) => failed(`${database} cannot be put aside`, cause, database)
    }).pipe(Effect.retry({ while: ({ code }) => code === "database_in_use", schedule: untilFree })),
    ({ close }) => Effect.sync(close)
  )

const beginsAsOne = (database: string): boolean => {
  const fd = fs.openSync(database, "r")
  try {
    const first = Buffer.alloc(16)
    fs.readSync(fd, first, 0, 16, 0)
    return first.toString("latin1") === "SQLite format 3\0"
  } finally {
    fs.closeSync(fd)
  }
}

const taken = (db: Database, database: string): Given => {
  const { applicationId } = marksOf(db)
  const tables = db.query<{ readonly n: number }, []>("SELECT count(*) AS n FROM sqlite_schema").get()?.n ?? 0
  if (applicationId !== APPLICATION_ID && tables > 0) throw foreign(database)
  db.run("PRAGMA locking_mode = EXCLUSIVE")
  const mode = db.query<{ readonly journal_mode: string }, []>("PRAGMA journal_mode = DELETE").get()
  if (mode?.journal_mode !== "delete") throw inUse(database)
  db.run("BEGIN EXCLUSIVE")
  const given = givenIn(db)
  db.run("COMMIT")
  return given
}

/** Makes a database out of the copy of a backup: a record of the backup in the place of the seal. */
const finish = (
  unfinished: string,
  backup: BackupFile,
  present: Present,
  at: string,
  since: DateTime.Utc
): void => {
  const db = new Database(unfinished, { readwrite: true, create: false })
  try {
    db.run("PRAGMA journal_mode = DELETE")
    db.run("PRAGMA synchronous = FULL")
    db.run("BEGIN IMMEDIATE")
    db.run("DELETE FROM backups WHERE sha256 LIKE ? || '%'", [SEAL])
    // Nobody has this file open. Whether a dispatcher of the backup's lives may not be seen from here.
    db.run("UPDATE runners SET ended_at = ? WHERE ended_at IS NULL", [at])
    db.run(
      "INSERT INTO backups (path, bytes, sha256, created_at, verified_at, in_place_since) VALUES (?, ?, ?, ?, ?, ?)",
      [backup.path, backup.bytes, backup.sha256, at, at, DateTime.formatIso(since)]
    )
    if (present._tag === "Held") goOnFrom(db, present.given)
    db.run("COMMIT")
  } finally {
    db.close()
  }
  sync(unfinished)
}

const REPLACED = ".replaced-"

/**
 * A restore that died before its last step has given the present database a second name, and a database that is
 * opened by two names is soon damaged.
 */
const dropSecondNames = (database: string): void => {
  const present = fs.statSync(database, { throwIfNoEntry: false })
  if (present === undefined || present.nlink < 2) return
  const folder = path.dirname(database)
  for (const name of fs.readdirSync(folder))
    if (name.startsWith(path.basename(database) + REPLACED)) {
      const found = fs.statSync(path.join(folder, name), { throwIfNoEntry: false })
      if (found?.ino === present.ino && found.dev === present.dev) fs.unlinkSync(path.join(folder, name))
    }
}

/** Keeps what is there and puts the new database in its place: no moment is without a whole one. */
const swap = (unfinished: string, database: string, present: Present, at: string): Option.Option<string> => {
  dropSecondNames(database)
  const wanted = `${database}${REPLACED}${at.replace(/[:.]/g, "-")}`
  const kept = present._tag === "Absent" ? Option.none<string>() : Option.some(alsoNamed(database, wanted))
  // A journal would be played into the new database. One in hand has left nothing in its own.
  for (const suffix of BESIDE) {
    if (isAbsent(database + suffix)) continue
    if (present._tag !== "Held")
      alsoNamed(database + suffix, `${Option.getOrElse(kept, () => wanted)}${suffix}`)
    fs.unlinkSync(database + suffix)
  }
  ownedLike(unfinished, isAbsent(database) ? path.dirname(database) : database)
  sync(path.dirname(database))
  fs.renameSync(unfinished, database)
  sync(path.dirname(database))
  return kept
}

const checked = (from: string, tell: Tell) =>
  Effect.gen(function* () {
    const found = yield* check(from, tell)
    const known = Option.all([found.schemaVersion, found.tasks])
    if (found.problems.length > 0 || Option.isNone(known))
      return yield* new BackupFailed({
        code: "backup_invalid",
        reason: `${from} cannot be restored: ${found.problems.join("; ")}`,
        remedy: "take another backup; nothing was changed"
      })
    const [schemaVersion, tasks] = known.value
    return { path: from, bytes: found.bytes, sha256: found.sha256, schemaVersion, tasks } satisfies BackupFile
  })

const placeOf = (database: string) =>
  Effect.try({
    try: () => {
      if (!isAbsent(database)) return fs.realpathSync(database)
      fs.mkdirSync(path.dirname(database), { recursive: true, mode: 0o700 })
      if (fs.lstatSync(database, { throwIfNoEntry: false }) !== undefined)
        throw new BackupFailed({
          code: "path_refused",
          reason: `${database} is a symbolic link to a file that is not there`,
          remedy: "remove the link, or mend it"
        })
      return path.join(fs.realpathSync(path.dirname(database)), path.basename(database))
    },
    catch: (cause) => failed(`${database} cannot be used`, cause, database)
  })

/** See BackupFiles.restore; both paths are absolute. */
export const restore = (
  from: string,
  database: string,
  at: string,
  tell: Tell
): Effect.Effect<Restored, BackupFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const backup = yield* checked(from, tell)
    const place = yield* placeOf(database)
    if (!isAbsent(place) && fs.realpathSync(from) === place)
      return yield* new BackupFailed({
        code: "path_refused",
        reason: `${from} is the database itself`,
        remedy: "name a backup of it"
      })
    const unfinished = unfinishedName(place)
    yield* Effect.addFinalizer(() => Effect.sync(() => discard(unfinished)))
    yield* copied(from, unfinished, backup.sha256).pipe(
      telling(tell, () => `copying ${mib(backup.bytes)} to ${path.dirname(place)}`)
    )
    const kept = yield* Effect.scoped(
      Effect.gen(function* () {
        const { present } = yield* seized(place)
        const since = sinceWhen(
          yield* now,
          present._tag === "Held" ? Option.some(present.given) : Option.none()
        )
        return yield* Effect.try({
          try: () => {
            finish(unfinished, backup, present, at, since)
            return swap(unfinished, place, present, at)
          },
          catch: (cause) => failed(`${place} could not be replaced`, cause, place)
        })
      })
    )
    return { backup, path: place, kept }
  })
