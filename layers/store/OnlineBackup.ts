import { constants, Database } from "bun:sqlite"
import * as fs from "node:fs"
import { Effect, Fiber, Option, Schedule, type Scope } from "effect"
import { BackupFailed, type BackupFile, type Tell } from "../../src/store/BackupFiles.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { check } from "./BackupCheck.ts"
import { discard, failed, freePlace, publish } from "./BackupPlace.ts"
import { placeholder, SEAL, seal } from "./BackupSeal.ts"
import { abandoned, unfinishedName } from "./Backups.ts"
import { codeOf } from "./connection.ts"
import { mib, telling } from "./Progress.ts"
import * as SqlThread from "./SqlThread.ts"
import { unavailable } from "./storeError.ts"

/** How long other processes' transactions are waited for, a wait of this process's at a time. */
const BUSY_FOR = "10 seconds"
const BUSY_TIMEOUT_MS = 20
/** How often the copy is looked at until it has begun. */
const BEGUN = "2 millis"

const isBusy = ({ code }: SqlThread.StatementFailed): boolean => /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)

const answered = (cause: unknown) =>
  new SqlThread.StatementFailed({ code: codeOf(cause), message: String(cause) })

/** Keeps others from writing for the scope; it ends early by `release`. */
const nobodyWrites = (database: string) =>
  Effect.gen(function* () {
    const db = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const opened = new Database(database, { readwrite: true, create: false })
          opened.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
          return opened
        },
        catch: answered
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    yield* Effect.retry(Effect.try({ try: () => db.run("BEGIN IMMEDIATE"), catch: answered }), {
      while: isBusy,
      schedule: Schedule.spaced("50 millis").pipe(Schedule.jittered, Schedule.upTo(BUSY_FOR))
    })
    return { release: Effect.sync(() => void (db.inTransaction && db.run("ROLLBACK"))) }
  }).pipe(Effect.mapError((cause) => unavailable(database, cause.code, cause, BUSY_FOR)))

const sizeOf = (file: string): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0

/**
 * Copies one moment of the database. `VACUUM INTO` cannot run in a transaction, so a transaction beside it
 * holds the same moment: nobody writes between the two beginnings. That one is what the copy is compared with.
 */
const copied = (thread: SqlThread.SqlThread, database: string, unfinished: string, tell: Tell) =>
  Effect.gen(function* () {
    const damaged = (cause: SqlThread.StatementFailed) =>
      /^SQLITE_(CORRUPT|NOTADB)/.test(cause.code) ? unavailable(database, cause.code, cause) : cause
    const { SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE } = constants
    yield* thread.open("source", database, SQLITE_OPEN_READWRITE)
    yield* thread.open("moment", database, SQLITE_OPEN_READWRITE)
    for (const name of ["source", "moment"]) yield* thread.rows(name, "PRAGMA busy_timeout = 10000")
    const total = yield* Effect.scoped(
      Effect.gen(function* () {
        const held = yield* nobodyWrites(database)
        yield* thread.rows("moment", "BEGIN")
        const pages = yield* thread.rows(
          "moment",
          "SELECT (SELECT count(*) FROM backups) AS n, page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size"
        )
        const bytes = Number(pages[0]?.bytes)
        const copying = yield* Effect.fork(thread.rows("source", "VACUUM INTO ?", unfinished))
        // Its first bytes are written after it has begun to read; a small copy is done before they are.
        yield* Effect.race(
          Fiber.await(copying),
          Effect.repeat(
            Effect.sync(() => sizeOf(unfinished)),
            {
              until: (size) => size > 0,
              schedule: Schedule.spaced(BEGUN)
            }
          )
        )
        yield* held.release
        return { bytes, copying }
      })
    ).pipe(Effect.mapError((cause) => (cause._tag === "StatementFailed" ? damaged(cause) : cause)))
    yield* Fiber.join(total.copying).pipe(
      Effect.mapError(damaged),
      telling(tell, () => `copied ${mib(sizeOf(unfinished))} of about ${mib(total.bytes)}`)
    )
    const counts = yield* Effect.mapError(countsOf(thread, "moment"), damaged)
    yield* thread.close("moment")
    yield* thread.close("source")
    yield* thread.open("copy", unfinished, SQLITE_OPEN_READONLY)
    const found = yield* countsOf(thread, "copy")
    yield* thread.close("copy")
    const differing = [...counts].filter(([table, n]) => found.get(table) !== n)
    if (differing.length > 0 || found.size !== counts.size)
      return yield* new BackupFailed({
        code: "backup_invalid",
        reason: `the copy has another number of rows than the database: ${differing.map(([table]) => table).join(", ")}`,
        remedy: "check the disk, then make the backup again; nothing was kept"
      })
  })

const countsOf = (thread: SqlThread.SqlThread, name: string) =>
  Effect.gen(function* () {
    const tables = yield* thread.rows(
      name,
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    const counts = new Map<string, number>()
    for (const { name: table } of tables) {
      const rows = yield* thread.rows(
        name,
        `SELECT count(*) AS n FROM "${String(table).replaceAll('"', '""')}"`
      )
      counts.set(String(table), Number(rows[0]?.n))
    }
    return counts
  })

/** Puts the row of the seal into a copy that nobody else sees yet, and the seal over it. */
const sealed = (thread: SqlThread.SqlThread, unfinished: string, at: string, tell: Tell) =>
  Effect.gen(function* () {
    const holder = placeholder()
    yield* thread.open("copy", unfinished, constants.SQLITE_OPEN_READWRITE)
    // It is thrown away where this fails, and synced once at the end.
    yield* thread.rows("copy", "PRAGMA journal_mode = MEMORY")
    yield* thread.rows("copy", "PRAGMA synchronous = OFF")
    yield* thread.rows(
      "copy",
      "INSERT INTO backups (path, bytes, sha256, created_at) VALUES ('this file', 0, ?, ?)",
      SEAL + holder,
      at
    )
    yield* thread.rows(
      "copy",
      "UPDATE backups SET bytes = (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) WHERE id = last_insert_rowid()"
    )
    yield* thread.close("copy")
    yield* Effect.tryPromise({
      try: () => seal(unfinished, holder),
      catch: (cause) => failed("the copy could not be sealed", cause, unfinished)
    }).pipe(telling(tell, () => `sealing ${mib(sizeOf(unfinished))}`))
  })

const verified = (unfinished: string, tell: Tell) =>
  Effect.gen(function* () {
    const found = yield* check(unfinished, tell)
    const whole = Option.all([found.schemaVersion, found.tasks])
    if (found.problems.length > 0 || !found.sealed || Option.isNone(whole))
      return yield* new BackupFailed({
        code: "backup_invalid",
        reason: `the copy is not whole: ${found.problems.join("; ")}`,
        remedy: "run agent-runtime healthcheck --deep: the database or a disk is damaged; nothing was kept"
      })
    const [schemaVersion, tasks] = whole.value
    return { ...found, schemaVersion, tasks }
  })

/** Somebody else may be writing it, from another host: it is named, not removed. */
const leftOver = ([first = "", ...more]: ReadonlyArray<string>): string =>
  `${first}${more.length === 0 ? " is an unfinished copy" : ` and ${more.length} more are unfinished copies`} that nobody on this host is writing any more, as a backup leaves one when it is killed; remove what no other host is writing`

/** See BackupFiles.copy; both paths are absolute. */
export const copy = (
  database: string,
  to: string,
  at: string,
  tell: Tell
): Effect.Effect<BackupFile, BackupFailed | StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const notWritten = (cause: unknown) => failed(`${to} could not be written`, cause, to)
    const place = yield* freePlace(to, database)
    const unfinished = unfinishedName(place)
    const left = yield* Effect.try({ try: () => abandoned(place), catch: notWritten })
    yield* Effect.try({ try: () => left.own.forEach(discard), catch: notWritten })
    if (left.others.length > 0) yield* Effect.logWarning(leftOver(left.others))
    yield* Effect.addFinalizer(() => Effect.sync(() => discard(unfinished)))
    const thread = yield* SqlThread.make
    yield* Effect.try({
      try: () => fs.closeSync(fs.openSync(unfinished, "wx", 0o600)),
      catch: notWritten
    })
    yield* copied(thread, database, unfinished, tell).pipe(
      Effect.zipRight(sealed(thread, unfinished, at, tell)),
      Effect.catchTag("StatementFailed", notWritten)
    )
    const { bytes, schemaVersion, sha256, tasks } = yield* verified(unfinished, tell)
    yield* Effect.try({ try: () => publish(unfinished, place), catch: notWritten })
    return { path: place, bytes, sha256, schemaVersion, tasks }
  })
