import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { DateTime, Effect, Layer, type Scope } from "effect"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { backUp, keptOnce } from "./Backups.ts"
import { changes } from "./changes.ts"
import { codeOf } from "./connection.ts"
import { latest, MIGRATIONS, type Migration, migrate, paragraphs, versionOf } from "./Migrations.ts"
import { unrestored } from "./Rescued.ts"
import { refusalOf } from "./SchemaLoss.ts"
import * as SqlAdoption from "./SqlAdoption.ts"
import * as SqlAttempts from "./SqlAttempts.ts"
import * as SqlBacklog from "./SqlBacklog.ts"
import * as SqlBudgets from "./SqlBudgets.ts"
import * as SqlEvents from "./SqlEvents.ts"
import * as SqlGates from "./SqlGates.ts"
import * as Sqlite from "./Sqlite.ts"
import * as SqlMaintenance from "./SqlMaintenance.ts"
import * as SqlOutbox from "./SqlOutbox.ts"
import * as SqlQuestions from "./SqlQuestions.ts"
import * as SqlRunners from "./SqlRunners.ts"
import * as SqlSchedules from "./SqlSchedules.ts"
import * as SqlSensors from "./SqlSensors.ts"
import * as SqlTasks from "./SqlTasks.ts"
import * as SqlUsage from "./SqlUsage.ts"
import * as SqlWorkflows from "./SqlWorkflows.ts"
import { ensure, unopened } from "./StoreFile.ts"
import { statement } from "./statement.ts"
import { unavailable } from "./storeError.ts"

/** The Store over an open database whose schema is up to date. */
const overSqlite = (sqlite: Sqlite.Sqlite["Type"]): Store["Type"] =>
  Store.of({
    tasks: SqlTasks.make(sqlite),
    attempts: SqlAttempts.make(sqlite),
    events: SqlEvents.make(sqlite),
    gates: SqlGates.make(sqlite),
    runners: SqlRunners.make(sqlite),
    outbox: SqlOutbox.make(sqlite),
    questions: SqlQuestions.make(sqlite),
    schedules: SqlSchedules.make(sqlite),
    workflows: SqlWorkflows.make(sqlite),
    sensors: SqlSensors.make(sqlite),
    backlog: SqlBacklog.make(sqlite),
    budgets: SqlBudgets.make(sqlite),
    usage: SqlUsage.make(sqlite),
    maintenance: SqlMaintenance.make(sqlite),
    adoption: SqlAdoption.make(sqlite),
    transact: sqlite.transact,
    listen: sqlite.listen,
    changes: changes(sqlite)
  })

/**
 * Brings the file at `path` to the latest schema: makes it when it is absent, refuses it when it is not
 * ours, copies it before the first migration of this start.
 */
export const prepare = (
  path: string,
  migrations: ReadonlyArray<Migration>
): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const at = DateTime.formatIso(yield* now)
    const version = yield* ensure(path, migrations, (db) => migrate(db, migrations, at))
    if (version === latest(migrations)) return
    yield* Effect.try({
      try: () => upgrade(path, migrations, at),
      catch: (cause) => (cause instanceof StoreUnavailable ? cause : unavailable(path, codeOf(cause), cause))
    })
  })

const upgrade = (path: string, migrations: ReadonlyArray<Migration>, at: string): void => {
  const db = new Database(path, { readwrite: true, create: false })
  try {
    db.run("PRAGMA busy_timeout = 10000")
    const refused = refusalOf(db, path, migrations)
    if (refused !== undefined) throw refused
    const version = versionOf(db)
    // Another process may have done it meanwhile.
    if (version === latest(migrations)) return
    const backup = backUp(db, path, version, at)
    try {
      migrate(db, migrations, at)
    } catch (cause) {
      throw notMigrated(path, keptOnce(backup), versionOf(db), cause)
    }
  } finally {
    db.close()
  }
}

const notMigrated = (path: string, backup: string, version: number, cause: unknown): StoreUnavailable => {
  const code = codeOf(cause)
  if (code !== "" && !/^SQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(code)) return unavailable(path, code, cause)
  return new StoreUnavailable({
    path,
    reason: `its schema could not be brought beyond version ${version}: ${cause instanceof Error ? cause.message : cause}`,
    remedy: `nothing of the step that failed was kept: use the earlier agent-runtime and report it; the copy from before is ${backup}`
  })
}

/** Opens the Store on a file, prepared first. */
export const open = (
  options: Sqlite.SqliteOptions
): Effect.Effect<Store["Type"], StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    yield* prepare(options.filename, MIGRATIONS)
    // The journal lies beside the real file, and there it is watched.
    const filename = yield* Effect.try({
      try: () => fs.realpathSync(options.filename),
      catch: (cause) => unopened(options.filename, cause)
    })
    const refusal = (db: Database) =>
      refusalOf(db, options.filename, MIGRATIONS) ?? unrestored(db, options.filename, filename)
    return overSqlite(yield* Sqlite.open({ ...options, filename, configured: options.filename, refusal }))
  })

/** The Store on a file for as long as the layer lives; see `open`. */
export const file = (options: Sqlite.SqliteOptions): Layer.Layer<Store, StoreUnavailable> =>
  Layer.scoped(Store, open(options))

const RECORD = statement("INSERT INTO schema_migrations (id, name, applied_at) VALUES (:id, :name, :at)")

const fresh = Layer.effectDiscard(
  Effect.gen(function* () {
    const sqlite = yield* Sqlite.Sqlite
    const statements = MIGRATIONS.flatMap((migration) => paragraphs(migration.sql))
    yield* sqlite.transact(
      "Store.fresh",
      Effect.forEach(statements, (text) => sqlite.rows({ text, names: [] }), { discard: true })
    )
    const at = DateTime.formatIso(yield* now)
    for (const { id, name } of MIGRATIONS) yield* sqlite.rows(RECORD, { id, name, at })
    yield* sqlite.rows(statement(`PRAGMA user_version = ${latest(MIGRATIONS)}`))
  })
)

/**
 * The same SQL on a database in memory, for tests: one store for all who are provided with it in one build. It
 * also gives the door to SQLite, for a test that damages a row.
 */
export const memory: Layer.Layer<Store | Sqlite.Sqlite, StoreUnavailable> = Layer.provideMerge(
  Layer.provideMerge(Layer.effect(Store, Effect.map(Sqlite.Sqlite, overSqlite)), fresh),
  Sqlite.layer({ filename: ":memory:", durability: "normal" })
)

/** The same on a database in memory that has the schema already and outlives the layer. */
export const inherited = (database: Database): Layer.Layer<Store | Sqlite.Sqlite, StoreUnavailable> =>
  Layer.provideMerge(
    Layer.effect(Store, Effect.map(Sqlite.Sqlite, overSqlite)),
    Sqlite.layer({ filename: ":memory:", durability: "normal", inherited: database })
  )
