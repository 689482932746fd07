import * as fs from "node:fs"
import * as path from "node:path"
import { DateTime, Effect, Either, Option } from "effect"
import { roomRemedyOr } from "../../src/domain/HostRoom.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Maintenance } from "../../src/store/Maintenance.ts"
import { codeOf } from "../SystemWord.ts"
import { time } from "./columns.ts"
import { latest, MIGRATIONS } from "./Migrations.ts"
import { HOLDS, rescuedBeside, takeBack } from "./Rescued.ts"
import type { Sqlite } from "./Sqlite.ts"
import * as SqlPrune from "./SqlPrune.ts"
import { RECORDED, recordProblems, SCHEMA, schemaProblems } from "./SqlSchema.ts"
import { orBackup } from "./StoreMarks.ts"
import { statement } from "./statement.ts"

const VERSION = statement("PRAGMA user_version")
const JOURNAL = statement("PRAGMA journal_mode")
const QUICK_CHECK = statement("PRAGMA quick_check(20)")
const FOREIGN_KEYS = statement("SELECT * FROM pragma_foreign_key_check LIMIT 20")
const UNATTENDED = statement(`
  SELECT task_id FROM tasks WHERE status = 'running'
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.task_id = tasks.task_id AND attempts.status = 'running')
  ORDER BY created_at, task_id LIMIT 20`)
const MISCOUNTED = statement(`
  SELECT what, status, n, real FROM (
    SELECT 'tasks' AS what, status, n, (SELECT count(*) FROM tasks WHERE tasks.status = task_counts.status) AS real
    FROM task_counts
    UNION ALL
    SELECT 'workflows', status, n, (SELECT count(*) FROM workflows WHERE workflows.status = workflow_counts.status)
    FROM workflow_counts)
  WHERE n <> real`)
const UNLISTED = statement(`
  SELECT attempt_id FROM attempts WHERE listed = 0
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.task_id = attempts.task_id AND to_list = 1) LIMIT 20`)
const UNTOLD = statement(`
  SELECT id FROM run_events WHERE task_id IS NOT NULL AND id <= (SELECT id FROM event_marks WHERE mark = 'listed')
    AND NOT EXISTS (
      SELECT 1 FROM events_of_tasks WHERE events_of_tasks.task_id = run_events.task_id AND events_of_tasks.id = run_events.id)
  LIMIT 20`)
const LAST_BACKUP = statement("SELECT max(verified_at) AS at FROM backups")
const RECORD_BACKUP = statement(`
  INSERT INTO backups (path, bytes, sha256, created_at, verified_at) VALUES (:path, :bytes, :hash, :at, :at)`)

/** A journal beyond this is not being checkpointed: some reader holds it, or no process ever closes. */
const WAL_WARNING_BYTES = 256 * 1024 * 1024

const PUT_BACK = "put a backup in its place (agent-runtime restore --from FILE)"

const sizeOf = (file: string): number => {
  try {
    return fs.statSync(file).size
  } catch {
    return 0
  }
}

/** Work that a process saved when the database was lost beneath it, and that the present one lacks. */
const rescuedWork = (sqlite: Sqlite["Type"]) =>
  Effect.gen(function* () {
    if (!path.isAbsolute(sqlite.path)) return []
    const found = yield* Effect.either(Effect.try({ try: () => rescuedBeside(sqlite.path), catch: codeOf }))
    if (Either.isLeft(found))
      return [
        `what lies beside it cannot be looked at (${found.left}); ${roomRemedyOr(found.left, `give this user the right to read ${path.dirname(sqlite.path)}`)}`
      ]
    const rescued = found.right
    if (rescued === undefined || (yield* sqlite.rows(HOLDS, rescued.asked))[0]?.holds === 1) return []
    return [
      `${rescued.path} holds what a process saved when this database was lost beneath it, and the present one lacks it; ${takeBack(rescued.path)}`
    ]
  })

export const make = (sqlite: Sqlite["Type"]): Maintenance => ({
  health: traced("Maintenance.health")(function* (deep) {
    const schemaVersion = Number((yield* sqlite.rows(VERSION))[0]?.user_version)
    const journalMode = String((yield* sqlite.rows(JOURNAL))[0]?.journal_mode)
    const walBytes = sizeOf(`${sqlite.path}-wal`)
    const told = { path: sqlite.path, schemaVersion, journalMode, sizeBytes: sizeOf(sqlite.path), walBytes }
    // What is asked below is asked of its tables.
    const unlike =
      schemaVersion === latest(MIGRATIONS)
        ? schemaProblems(schemaVersion, yield* sqlite.rows(SCHEMA))
        : [`the schema is version ${schemaVersion}, expected ${latest(MIGRATIONS)}`]
    if (unlike.length > 0)
      return {
        ...told,
        backedUpAt: Option.none(),
        problems: unlike.map((problem) => `${problem}; ${orBackup(sqlite.path, PUT_BACK)}`)
      }
    const problems = [...recordProblems(schemaVersion, yield* sqlite.rows(RECORDED))]
    if (walBytes > WAL_WARNING_BYTES)
      problems.push(`the journal has grown to ${walBytes} bytes and is not being taken over`)
    problems.push(...(yield* rescuedWork(sqlite)))
    if (deep) {
      const found = (yield* sqlite.rows(QUICK_CHECK)).map((row) => String(row.quick_check))
      problems.push(...found.filter((line) => line !== "ok"))
      for (const row of yield* sqlite.rows(FOREIGN_KEYS))
        problems.push(`${row.table} row ${row.rowid} names a ${row.parent} that is not there`)
      for (const row of yield* sqlite.rows(UNATTENDED))
        problems.push(`task ${row.task_id} is running but has no open attempt`)
      for (const row of yield* sqlite.rows(MISCOUNTED))
        problems.push(`${row.n} ${row.what} are counted as ${row.status}, there are ${row.real}`)
      for (const row of yield* sqlite.rows(UNLISTED))
        problems.push(`attempt ${row.attempt_id} is in no list of attempts`)
      for (const row of yield* sqlite.rows(UNTOLD))
        problems.push(`event ${row.id} is not among those of its task`)
    }
    const last = String((yield* sqlite.rows(LAST_BACKUP))[0]?.at)
    return { ...told, backedUpAt: Option.map(DateTime.make(last), DateTime.toUtc), problems }
  }),
  here: sqlite.here,
  lost: sqlite.lost,
  recordBackup: traced("Maintenance.recordBackup")((backup, at) =>
    Effect.asVoid(
      sqlite.transact(
        "Maintenance.recordBackup",
        sqlite.rows(RECORD_BACKUP, {
          path: backup.path,
          bytes: backup.bytes,
          hash: backup.sha256,
          at: time(at)
        })
      )
    )
  ),
  prune: SqlPrune.make(sqlite)
})
