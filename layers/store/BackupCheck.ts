import { constants } from "bun:sqlite"
import * as fs from "node:fs"
import { Effect, Option, type Scope } from "effect"
import { BackupFailed, type CheckedFile, type Tell } from "../../src/store/BackupFiles.ts"
import { type Hashes, hashes, SEAL } from "./BackupSeal.ts"
import { APPLICATION_ID } from "./Backups.ts"
import { codeOf } from "./connection.ts"
import { latest, MIGRATIONS } from "./Migrations.ts"
import { mib, telling } from "./Progress.ts"
import { RECORDED, recordProblems, SCHEMA, schemaProblems } from "./SqlSchema.ts"
import * as SqlThread from "./SqlThread.ts"

const HEADER_BYTES = 100

interface Header {
  readonly bytes: number
  readonly problems: ReadonlyArray<string>
}

/** What the first 100 bytes say (https://sqlite.org/fileformat2.html, section 1.3). */
const header = (file: string): Header => {
  const fd = fs.openSync(file, "r")
  try {
    const first = Buffer.alloc(HEADER_BYTES)
    const read = fs.readSync(fd, first, 0, HEADER_BYTES, 0)
    const { size } = fs.fstatSync(fd)
    return { bytes: size, problems: read < HEADER_BYTES ? ["it is empty or cut short"] : faults(first, size) }
  } finally {
    fs.closeSync(fd)
  }
}

const faults = (first: Buffer, size: number): ReadonlyArray<string> => {
  if (first.toString("latin1", 0, 16) !== "SQLite format 3\0") return ["it is not a SQLite database"]
  if (first.readUInt32BE(68) !== APPLICATION_ID)
    return [
      "it is a database of another program (one of the original runtime is taken over with: agent-runtime adopt --from FILE)"
    ]
  const version = first.readUInt32BE(60)
  if (version > latest(MIGRATIONS))
    return [
      `it was written by a newer agent-runtime (schema ${version}, this one knows ${latest(MIGRATIONS)}): use that one`
    ]
  const pageSize = first.readUInt16BE(16) === 1 ? 65_536 : first.readUInt16BE(16)
  const whole = pageSize * first.readUInt32BE(28)
  return size === whole
    ? []
    : [`it has ${size} bytes, its header says ${whole}: it was cut or something was added`]
}

const journalProblems = (file: string): ReadonlyArray<string> =>
  ["-wal", "-journal"]
    .filter((suffix) => (fs.statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0)
    .map(
      (suffix) =>
        `${file}${suffix} lies beside it: it is a database in use, or a part of one; copy such a one with agent-runtime backup`
    )

const notThere = (file: string, cause: unknown) =>
  new BackupFailed({
    code: "file_not_found",
    reason:
      codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR"
        ? `there is no file ${file}`
        : `${file} cannot be read (${codeOf(cause)})`,
    remedy: "name a file that agent-runtime backup has made"
  })

const opened = (file: string): Effect.Effect<Header, BackupFailed> =>
  Effect.try({
    try: () => {
      if (!fs.statSync(file).isFile()) throw Object.assign(new Error(), { code: "no regular file" })
      const found = header(file)
      return { ...found, problems: [...found.problems, ...journalProblems(file)] }
    },
    catch: (cause) => notThere(file, cause)
  })

/** A name for SQLite to open as bytes that nobody changes: without locks, journal and any file beside it. */
const immutable = (file: string): string =>
  `file:${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}?immutable=1`

interface Inside {
  readonly problems: ReadonlyArray<string>
  readonly version: Option.Option<number>
  readonly tasks: Option.Option<number>
  /** The digits of the seal; empty when there is none. */
  readonly digits: string
}

const inside = (thread: SqlThread.SqlThread) =>
  Effect.gen(function* () {
    const rows = (sql: string) => thread.rows("backup", sql)
    yield* rows("PRAGMA trusted_schema = OFF")
    yield* rows("PRAGMA cell_size_check = ON")
    const problems = (yield* rows("PRAGMA integrity_check(20)"))
      .map((row) => String(row.integrity_check))
      .filter((line) => line !== "ok")
    const nothing: Inside = { problems, version: Option.none(), tasks: Option.none(), digits: "" }
    if (problems.length > 0) return nothing
    const version = Number((yield* rows("PRAGMA user_version"))[0]?.user_version)
    const unlike = schemaProblems(version, yield* rows(SCHEMA.text))
    if (unlike.length > 0) return { ...nothing, problems: unlike }
    const unrecorded = recordProblems(version, yield* rows(RECORDED.text))
    const foreign = (yield* rows("SELECT * FROM pragma_foreign_key_check LIMIT 20")).map(
      (row) => `${row.table} row ${row.rowid} names a row of ${row.parent} that is not there`
    )
    const seal = String((yield* rows("SELECT sha256 FROM backups ORDER BY id DESC LIMIT 1"))[0]?.sha256 ?? "")
    return {
      problems: [...foreign, ...unrecorded],
      version: Option.some(version),
      tasks: Option.some(Number((yield* rows("SELECT count(*) AS n FROM tasks"))[0]?.n)),
      digits: seal.startsWith(SEAL) ? seal.slice(SEAL.length) : ""
    } satisfies Inside
  })

const sealProblems = ({ places, sealed }: Hashes, digits: string): ReadonlyArray<string> =>
  digits === "" || (places.length === 1 && sealed === digits)
    ? []
    : ["its bytes are not those that were written: it was changed since, or the disk has damaged it"]

const examined = (thread: SqlThread.SqlThread, file: string, bytes: number, tell: Tell) =>
  Effect.gen(function* () {
    yield* thread.open("backup", immutable(file), constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
    return yield* inside(thread).pipe(
      telling(tell, () => `checking ${mib(bytes)}`),
      Effect.ensuring(Effect.ignore(thread.close("backup")))
    )
  }).pipe(
    Effect.catchTag("StatementFailed", ({ code, message }) =>
      Effect.succeed<Inside>({
        problems: [`SQLite says: ${message}${code === "" ? "" : ` (${code})`}`],
        version: Option.none(),
        tasks: Option.none(),
        digits: ""
      })
    )
  )

/** See BackupFiles.check; `file` is absolute. */
export const check = (file: string, tell: Tell): Effect.Effect<CheckedFile, BackupFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { bytes, problems } = yield* opened(file)
    const found: Inside =
      problems.length > 0
        ? { problems, version: Option.none(), tasks: Option.none(), digits: "" }
        : yield* examined(yield* SqlThread.make, file, bytes, tell)
    const digest = yield* Effect.tryPromise({
      try: () => hashes(file, found.digits),
      catch: (cause) => notThere(file, cause)
    }).pipe(telling(tell, () => `reading ${mib(bytes)}`))
    return {
      path: file,
      bytes: digest.bytes,
      sha256: digest.sha256,
      schemaVersion: found.version,
      tasks: found.tasks,
      sealed: found.digits !== "",
      problems: [...found.problems, ...sealProblems(digest, found.digits)]
    }
  })
