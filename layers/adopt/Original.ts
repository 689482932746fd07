import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Layer, type Scope } from "effect"
import { absolute } from "../../src/config/Paths.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Tell } from "../../src/store/BackupFiles.ts"
import { Original, type OriginalDatabase, OriginalRefused } from "../../src/store/Original.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { fullness } from "../Fullness.ts"
import { isFull } from "../SystemWord.ts"
import { APPLICATION_ID } from "../store/Backups.ts"
import { codeOf } from "../store/connection.ts"
import { mib, telling } from "../store/Progress.ts"
import { marksOf } from "../store/StoreMarks.ts"
import { type Copied, copyOf, digestOf } from "./Copy.ts"
import { rowsOf } from "./OriginalRows.ts"

/** The migrations of the original that this program knows; earlier databases have fewer. */
const MIGRATIONS: ReadonlyArray<string> = ["0001_runtime_core", "0002_schedules_and_sensor_events"]

/** Without these it is no database of the original. */
const MARKS = ["tasks", "task_attempts", "run_events", "schema_migrations"]

const refused = (code: OriginalRefused["code"], reason: string, remedy: string) =>
  new OriginalRefused({ code, reason, remedy })

const notOriginal = (file: string, why: string) =>
  refused("not_original", `${file} is not a database of the original runtime: ${why}`, "name that database")

const damaged = (file: string, why: string) =>
  new StoreUnavailable({
    path: file,
    reason: `it is damaged: ${why}`,
    remedy: "adopt a copy from before the damage; nothing was changed"
  })

/** Looks before anything is copied: a header costs nothing, a copy may. */
const checkedFile = (file: string): OriginalRefused | StoreUnavailable | undefined => {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (found === undefined)
    return refused("file_not_found", `there is no file ${file}`, "name the database of the original runtime")
  if (!found.isFile())
    return notOriginal(file, `it is ${found.isDirectory() ? "a folder" : "not a regular file"}`)
  if (found.size === 0) return notOriginal(file, "it is empty")
  const header = Buffer.alloc(100)
  const fd = fs.openSync(file, "r")
  try {
    fs.readSync(fd, header, 0, 100, 0)
  } finally {
    fs.closeSync(fd)
  }
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0")
    return notOriginal(file, "it is no SQLite database")
  return header.readUInt32BE(68) === APPLICATION_ID ? notOriginal(file, OURS) : undefined
}

const OURS = "it is one of this agent-runtime; put it in place with agent-runtime restore"

const checkedDatabase = (db: Database, file: string): OriginalRefused | StoreUnavailable | undefined => {
  const found = db.query<{ readonly integrity_check: string }, []>("PRAGMA integrity_check(5)").all()
  const problems = found.map((row) => row.integrity_check).filter((line) => line !== "ok")
  if (problems.length > 0) return damaged(file, problems.join("; "))
  const marks = marksOf(db)
  if (marks.applicationId === APPLICATION_ID) return notOriginal(file, OURS)
  if (marks.applicationId !== 0 || marks.version !== 0)
    return notOriginal(file, "it is marked as another program's")
  const names = new Set(
    db
      .query<{ readonly name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => name)
  )
  const missing = MARKS.filter((name) => !names.has(name))
  if (missing.length > 0) return notOriginal(file, `it has no table ${missing.join(", ")}`)
  const unknown = db
    .query<{ readonly id: unknown }, []>("SELECT id FROM schema_migrations")
    .all()
    .map(({ id }) => String(id))
    .filter((id) => !MIGRATIONS.includes(id))
  return unknown.length === 0
    ? undefined
    : refused(
        "newer_original",
        `${file} has the migration ${unknown.join(", ")}, which is not known here (known: ${MIGRATIONS.join(", ")})`,
        "use an agent-runtime that knows it"
      )
}

const LEFT_BEHIND = /^adopt-\d+-[0-9a-f]{8}$/

/** A folder of its own below the state folder; what a run that died has left is removed. */
const workFolder = (file: string, stateDir: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        fs.mkdirSync(stateDir, { recursive: true, mode: 0o700 })
        for (const name of fs.readdirSync(stateDir))
          if (LEFT_BEHIND.test(name)) fs.rmSync(path.join(stateDir, name), { recursive: true, force: true })
        const folder = path.join(stateDir, `adopt-${process.pid}-${crypto.randomUUID().slice(0, 8)}`)
        fs.mkdirSync(folder, { mode: 0o700 })
        return folder
      },
      catch: (cause) =>
        isFull(codeOf(cause)) ? uncopied(file, stateDir)(cause) : unreadable(stateDir, cause)
    }),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

const unreadable = (file: string, cause: unknown): OriginalRefused | StoreUnavailable => {
  if (cause instanceof OriginalRefused || cause instanceof StoreUnavailable) return cause
  const code = codeOf(cause)
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return damaged(file, code)
  return new StoreUnavailable({
    path: file,
    reason: `it cannot be read (${cause instanceof Error ? cause.message : cause})`,
    remedy: "check the path and the rights of this user"
  })
}

/** The same of a copy, whose want of room is the state folder's and no fault of the file. */
const uncopied =
  (file: string, stateDir: string) =>
  (cause: unknown): OriginalRefused | StoreUnavailable => {
    const code = codeOf(cause)
    if (!isFull(code)) return unreadable(file, cause)
    return new StoreUnavailable({
      path: stateDir,
      reason: `there is no room in this folder for a copy of ${file} (${code})`,
      remedy: `${fullness(code, `${stateDir}/copy`).remedy} and try again; nothing was changed`
    })
  }

const openCopy = (copied: Copied, file: string, stateDir: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const db = new Database(copied.path, { readwrite: true, create: false })
        try {
          const problem = checkedDatabase(db, file)
          if (problem !== undefined) throw problem
          db.run("PRAGMA query_only = ON")
          return db
        } catch (cause) {
          db.close()
          throw cause
        }
      },
      catch: uncopied(file, stateDir)
    }),
    (db) => Effect.sync(() => db.close())
  )

const MOST_TRIES = 3

/** A copy whose bytes are those of the file before and after it was made. */
const steadyCopy = (file: string, folder: string, stateDir: string) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const copied = yield* Effect.tryPromise({
        try: () => copyOf(file, path.join(folder, `${tries}.db`)),
        catch: uncopied(file, stateDir)
      })
      if (copied.isSteady) return copied
    }
    return yield* refused(
      "original_in_use",
      `${file} is written while it is copied`,
      "stop the original runtime (its timer and its services), then try again"
    )
  })

const open = (
  given: string,
  stateDir: string,
  tell: Tell
): Effect.Effect<OriginalDatabase, OriginalRefused | StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const asked = absolute(process.cwd(), os.homedir(), given)
    const file = yield* Effect.try({
      // The journal lies beside the real file.
      try: () => (fs.existsSync(asked) ? fs.realpathSync(asked) : asked),
      catch: (cause) => unreadable(asked, cause)
    })
    const problem = yield* Effect.try({
      try: () => checkedFile(file),
      catch: (cause) => unreadable(file, cause)
    })
    if (problem !== undefined) return yield* problem
    const folder = yield* workFolder(file, stateDir)
    const copied = yield* steadyCopy(file, folder, stateDir).pipe(
      telling(tell, () => `copying ${mib(fs.statSync(file).size)}`)
    )
    const db = yield* openCopy(copied, file, stateDir)
    const rows = yield* Effect.try({
      try: () => rowsOf(db),
      // What lacks a column that every database of the original has is none, though its tables bear their names.
      catch: (cause) =>
        /^no such column/.test(cause instanceof Error ? cause.message : "")
          ? notOriginal(
              file,
              `its tables are not the original's (${cause instanceof Error ? cause.message : cause})`
            )
          : uncopied(file, stateDir)(cause)
    })
    return {
      path: file,
      sha256: copied.sha256,
      ...rows,
      isUnchanged: Effect.promise(async () => (await digestOf(file)) === copied.digest)
    }
  })

/** Databases of the original on this host's disks. */
export const layer: Layer.Layer<Original> = Layer.succeed(
  Original,
  Original.of({
    open: traced("Original.open")((file, stateDir, tell) => open(file, stateDir, tell))
  })
)
