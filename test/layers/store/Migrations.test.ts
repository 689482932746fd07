import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, TestContext } from "effect"
import { MIGRATIONS, type Migration, migrate, paragraphs } from "../../../layers/store/Migrations.ts"
import { prepare } from "../../../layers/store/SqlStore.ts"
import { expectGolden } from "../../support/golden.ts"

let root = ""
let count = 0
const fresh = (): string => {
  const made = join(root, `${count++}`)
  fs.mkdirSync(made)
  return join(made, "runtime.db")
}

beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), "agent-runtime-migrations-"))
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const run = (path: string, migrations: ReadonlyArray<Migration>) =>
  Effect.runPromise(Effect.either(prepare(path, migrations)))

const next: Migration = {
  id: 2,
  name: "notes",
  sql: "-- A remark.\nCREATE TABLE notes (id INTEGER PRIMARY KEY)\n\nINSERT INTO notes DEFAULT VALUES"
}
const broken: Migration = {
  id: 3,
  name: "broken",
  sql: "CREATE TABLE half (id INTEGER PRIMARY KEY)\n\nINSERT INTO nowhere VALUES (1)"
}

const query = (path: string, sql: string) => {
  const db = new Database(path, { readonly: true })
  try {
    return db.query(sql).values()
  } finally {
    db.close()
  }
}

const backups = (path: string) =>
  fs
    .readdirSync(join(path, ".."))
    .filter((name) => name.includes(".backup-"))
    .map((name) => join(path, "..", name))

const addTask = (path: string) => {
  const db = new Database(path)
  db.run(`INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at,
    available_at, lane, created_by_json) VALUES ('kept', 'k', 's', 5, '{}', 3, 'pending', 'x', 'x', 'x', 'x', '{}')`)
  db.close()
}

describe("a schema", () => {
  test("is what the golden file says", () => {
    const db = new Database(":memory:")
    migrate(db, MIGRATIONS, "2026-04-29T07:00:00.000Z")
    const statements = db
      .query(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
      )
      .values()
      .map(([sql]) => `${sql}\n`)
    const schema = statements.join("\n")
    expectGolden("schema.sql", schema)
  })

  test("has a table for every record, with its columns named as on the wire", () => {
    const db = new Database(":memory:")
    migrate(db, MIGRATIONS, "x")
    const columns = (table: string) =>
      db
        .query(`SELECT name FROM pragma_table_info('${table}')`)
        .values()
        .map(([name]) => String(name).replace(/_json$/, ""))
    for (const [table, names] of Object.entries({
      tasks: `kind source payload subject description priority requested_profile requested_adapter requested_model
        max_attempts available_at dedupe_key task_id status attempt_count created_at updated_at started_at finished_at
        outcome last_error parent_task_id workflow_id untrusted`,
      attempts: `attempt_id task_id number runner_id host profile_id adapter_id adapter_mode model status started_at
        ended_at exit_status retry_class reason bundle_id bundle_hash replay_grade usage issues prompt_path stdout_path
        stderr_path result_path`,
      bundles: "bundle_id task_id attempt_id bundle_hash bundle_version",
      run_events: "id event_type task_id attempt_id actor detail created_at",
      workflows: "id instance_key template current_state context",
      schedules: "name interval_seconds cron timezone task next_run_at enabled overlap",
      sensor_events: "sensor_id event_id source_ref dedupe_key payload observed_at freshness_deadline",
      outbox: "id task_id message created_at"
    }))
      expect([table, columns(table)]).toEqual([table, expect.arrayContaining(names.split(/\s+/))])
  })

  test("is split into statements at its empty lines", () => {
    expect(paragraphs("-- only a remark\n\nA;\nB\n\n\n  \n-- with a remark\nC\n")).toEqual([
      "A;\nB",
      "-- with a remark\nC\n"
    ])
  })
})

describe("an older store", () => {
  test("is copied beside itself, privately, and then brought up to date", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    addTask(path)
    expect((await run(path, [...MIGRATIONS, next]))._tag).toBe("Right")
    expect(query(path, "PRAGMA user_version")).toEqual([[2]])
    expect(query(path, "SELECT id, name FROM schema_migrations ORDER BY id")).toEqual([
      [1, "init"],
      [2, "notes"]
    ])
    expect(query(path, "SELECT task_id FROM tasks")).toEqual([["kept"]])
    const [backup = "", ...others] = backups(path)
    expect(others).toEqual([])
    expect(backup).toMatch(/\/runtime\.db\.backup-\d{4}-\d\d-\d\dT[\d-]+Z-v1$/)
    expect((fs.statSync(backup).mode & 0o777).toString(8)).toBe("600")
    expect(query(backup, "PRAGMA user_version")).toEqual([[1]])
    expect(query(backup, "SELECT task_id FROM tasks")).toEqual([["kept"]])
    expect(query(backup, "PRAGMA application_id")).toEqual(query(path, "PRAGMA application_id"))
    expect(fs.readdirSync(join(path, "..")).filter((name) => name.includes(".new-"))).toEqual([])
  })

  test("is copied once: a start that has nothing to do leaves all as it is", async () => {
    const path = fresh()
    await run(path, [...MIGRATIONS, next])
    expect(backups(path)).toEqual([])
    await run(path, [...MIGRATIONS, next])
    expect(backups(path)).toEqual([])
  })

  test("gets a copy of its own when one of that name is there", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    const name = `${path}.backup-1970-01-01T00-00-00-000Z-v1`
    fs.writeFileSync(name, "another")
    await Effect.runPromise(Effect.provide(prepare(path, [...MIGRATIONS, next]), TestContext.TestContext))
    expect(fs.readFileSync(name, "utf8")).toBe("another")
    expect(query(`${name}-2`, "PRAGMA user_version")).toEqual([[1]])
  })

  test("keeps its version and stays usable when a migration fails, and the copy is named", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    addTask(path)
    const failed = await run(path, [...MIGRATIONS, next, broken])
    if (failed._tag === "Right") throw new Error("the broken migration did not fail")
    expect(failed.left.reason).toBe(
      "its schema could not be brought beyond version 2: no such table: nowhere"
    )
    const [backup = ""] = backups(path)
    expect(failed.left.remedy).toEndWith(`the copy from before is ${backup}`)
    expect(query(path, "PRAGMA user_version")).toEqual([[2]])
    expect(query(path, "SELECT name FROM sqlite_schema WHERE name = 'half'")).toEqual([])
    expect(query(path, "SELECT task_id FROM tasks")).toEqual([["kept"]])
    expect((await run(path, [...MIGRATIONS, next]))._tag).toBe("Right")
  })

  test("is copied once, however often it is opened and its migration fails", async () => {
    const path = fresh()
    await run(path, [...MIGRATIONS, next])
    const copies = []
    for (let start = 1; start <= 3; start++) {
      const failed = await run(path, [...MIGRATIONS, next, broken])
      if (failed._tag === "Right") throw new Error("the broken migration did not fail")
      copies.push(failed.left.remedy.split("the copy from before is ")[1])
    }
    expect(backups(path)).toEqual([copies[0] ?? ""])
    expect(new Set(copies).size).toBe(1)
    addTask(path)
    await run(path, [...MIGRATIONS, next, broken])
    expect(backups(path)).toHaveLength(2)
  })

  test("that has tables and says that it has no schema is refused before it is copied", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    const db = new Database(path)
    db.run("PRAGMA user_version = 0")
    db.close()
    const before = fs.readdirSync(join(path, ".."))
    const refused = await run(path, MIGRATIONS)
    expect(refused).toMatchObject({
      left: { reason: expect.stringContaining("it is damaged: it has tables") }
    })
    expect(fs.readdirSync(join(path, ".."))).toEqual(before)
  })

  test("whose migrations on record are not those of its version is refused before it is copied", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    const db = new Database(path)
    db.run("DELETE FROM schema_migrations")
    db.close()
    const before = fs.readFileSync(path)
    expect(await run(path, [...MIGRATIONS, next])).toMatchObject({
      left: { reason: "it is damaged: it says schema 1, its migrations say 0" }
    })
    expect(fs.readdirSync(join(path, ".."))).toEqual(["runtime.db"])
    expect(fs.readFileSync(path).equals(before)).toBe(true)
  })

  test("is never made at all by a first migration that fails", async () => {
    const path = fresh()
    const failed = await run(path, [...MIGRATIONS, next, broken])
    expect(failed._tag).toBe("Left")
    expect(fs.readdirSync(join(path, ".."))).toEqual([])
  })

  test("is migrated once by many that start together", async () => {
    const path = fresh()
    await run(path, MIGRATIONS)
    const worker = join(import.meta.dir, "../../support/migrateWorker.ts")
    const children = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, worker, path, JSON.stringify(next)], { stdout: "ignore", stderr: "pipe" })
    )
    const ends = await Promise.all(
      children.map(async (child) => [await child.exited, await new Response(child.stderr).text()] as const)
    )
    expect(ends).toEqual(Array.from({ length: 4 }, () => [0, ""] as const))
    expect(query(path, "SELECT count(*) FROM notes")).toEqual([[1]])
    expect(backups(path).length).toBeGreaterThan(0)
    for (const backup of backups(path)) expect(query(backup, "PRAGMA integrity_check")).toEqual([["ok"]])
  }, 60_000)
})
