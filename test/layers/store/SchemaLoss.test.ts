import { Database } from "bun:sqlite"
import { expect } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Option } from "effect"
import { MIGRATIONS, migrate } from "../../../layers/store/Migrations.ts"
import { isAsMade } from "../../../layers/store/SchemaLoss.ts"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { file, memory } from "../../../layers/store/SqlStore.ts"
import { statement } from "../../../layers/store/statement.ts"
import { Store } from "../../../src/store/Store.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const opening = (filename: string) => Effect.scoped(Layer.build(file({ filename, durability: "normal" })))

/** What opening a store says after somebody did something to it. */
const after = (...done: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const filename = join(yield* temporaryFolder, "runtime.db")
    yield* opening(filename)
    fs.copyFileSync(filename, `${filename}.backup-2026-04-29T07-00-00-000Z-v1`)
    const db = new Database(filename)
    for (const sql of done) db.run(sql)
    db.close()
    return yield* Effect.merge(Effect.as(opening(filename), "opened"))
  })

it.live("a table or a column that was lost refuses the store by name, with the newest backup", () =>
  Effect.gen(function* () {
    expect(yield* after("DROP TABLE outbox")).toMatchObject({
      _tag: "StoreUnavailable",
      reason: "it is damaged: table outbox is missing",
      remedy: expect.stringMatching(/restore --from FILE\); the newest backup beside it is .*-v1$/)
    })
    expect(yield* after("ALTER TABLE tasks DROP COLUMN subject", "DROP TABLE schedules")).toMatchObject({
      reason: "it is damaged: column subject of table tasks is missing, and 1 more"
    })
  })
)

const bytesIn = (folder: string) =>
  Object.fromEntries(
    fs
      .readdirSync(folder)
      // SQLite's index of the journal is made anew by every look at it.
      .filter((name) => !name.endsWith("-shm"))
      .map((name) => [name, fs.readFileSync(join(folder, name)).toString("base64")])
  )

/** What opening a store says of a file that something was done to, and whether it left every byte as it was. */
const untouched = (way: "as a backup" | "with its journal", ...done: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const made = join(yield* temporaryFolder, "runtime.db")
    yield* opening(made)
    const folder = yield* temporaryFolder
    const filename = join(folder, "runtime.db")
    const db = new Database(made)
    if (way === "as a backup") db.run("PRAGMA journal_mode = DELETE")
    for (const sql of done) db.run(sql)
    for (const suffix of ["", "-wal"])
      if (fs.existsSync(made + suffix)) fs.copyFileSync(made + suffix, filename + suffix)
    db.close()
    expect(fs.existsSync(`${filename}-wal`)).toBe(way === "with its journal")
    const before = bytesIn(folder)
    const said = yield* Effect.merge(Effect.as(opening(filename), "opened"))
    return { said, isUntouched: Bun.deepEquals(bytesIn(folder), before) }
  })

it.live("a damaged database is refused before a byte of it, or of its journal, is written", () =>
  Effect.gen(function* () {
    for (const way of ["as a backup", "with its journal"] as const) {
      expect(yield* untouched(way, "DROP TABLE outbox")).toMatchObject({
        said: { reason: "it is damaged: table outbox is missing" },
        isUntouched: true
      })
      expect(yield* untouched(way, "ALTER TABLE tasks RENAME COLUMN subject TO title")).toMatchObject({
        said: { reason: "it is damaged: column subject of table tasks is missing" },
        isUntouched: true
      })
      expect(yield* untouched(way, "CREATE TABLE mine (id)")).toMatchObject({ said: "opened" })
    }
  })
)

const LATER = "INSERT INTO schema_migrations VALUES (2, 'later', '')"

it.live("a database whose migrations on record are not those of its version is refused as it is", () =>
  Effect.gen(function* () {
    const newer = "it was written by a newer agent-runtime (schema 2, this one knows 1)"
    expect(yield* after(LATER)).toMatchObject({
      _tag: "StoreUnavailable",
      reason: newer,
      remedy: expect.stringMatching(
        /^use the newer agent-runtime; the newest backup beside it is .*runtime\.db\.backup-[^/]*-v1$/
      )
    })
    for (const way of ["as a backup", "with its journal"] as const) {
      expect(yield* untouched(way, LATER)).toMatchObject({ said: { reason: newer }, isUntouched: true })
      expect(yield* untouched(way, LATER, "DROP TABLE outbox")).toMatchObject({ said: { reason: newer } })
      expect(yield* untouched(way, "DELETE FROM schema_migrations")).toMatchObject({
        said: { reason: "it is damaged: it says schema 1, its migrations say 0" },
        isUntouched: true
      })
      expect(yield* untouched(way, "DROP TABLE schema_migrations")).toMatchObject({
        said: { reason: "it is damaged: table schema_migrations is missing" },
        isUntouched: true
      })
    }
  })
)

it.live("what is more than ours, and an index that is gone, do not keep the store from being opened", () =>
  Effect.gen(function* () {
    const added = [
      "ALTER TABLE tasks ADD COLUMN of_mine TEXT",
      "CREATE TABLE mine (id)",
      "CREATE INDEX my ON tasks (kind)"
    ]
    expect(yield* after(...added, "DROP INDEX tasks_kind")).toBe("opened")
  })
)

it.live(
  "a table that is lost while the store is open is told as damage, and not as a fault of the program",
  () =>
    Effect.gen(function* () {
      const sqlite = yield* Sqlite
      yield* sqlite.rows(statement("DROP TABLE outbox"))
      const failure = yield* Effect.flip(
        Effect.flatMap(Store, (store) => store.outbox.list({ all: true, limit: 1, after: Option.none() }))
      )
      expect(failure).toMatchObject({ reason: "it is damaged: no such table: outbox" })
      expect(JSON.stringify(failure)).not.toContain("fault of agent-runtime")
    }).pipe(Effect.provide(memory))
)

it.live("a whole schema is known by its texts: nothing is made to compare it with", () =>
  Effect.sync(() => {
    const db = new Database(":memory:")
    migrate(db, MIGRATIONS, "")
    const tables = () =>
      db.query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE type = 'table'").all()
    expect(isAsMade(tables(), MIGRATIONS)).toBe(true)
    db.run("DROP TABLE backups")
    expect(isAsMade(tables(), MIGRATIONS)).toBe(false)
  })
)
