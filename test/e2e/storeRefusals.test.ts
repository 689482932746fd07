import { Database } from "bun:sqlite"
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { Place } from "../support/binary.ts"
import { errorOf, inPlace, queue, runOnce, story } from "./inPlace.ts"
import { Events, exactly, StatusReport } from "./wire.ts"

setDefaultTimeout(60_000)

let place: Place
let file = ""
let good = Buffer.of()

beforeAll(async () => {
  place = await Place.make()
  file = place.path("state", "runtime.db")
  await place.json(["status"])
  good = await readFile(file)
})
afterAll(() => place.remove())

const made = (sql: string): Promise<Buffer> => {
  const path = place.path("other.db")
  const db = new Database(path)
  for (const statement of sql.split(";")) db.run(statement)
  db.close()
  return readFile(path).finally(() => rm(path))
}

/** The good one after a change, in the journal mode that backups have. */
const changed = async (sql: string): Promise<Buffer> => {
  const path = place.path("other.db")
  await writeFile(path, good)
  const db = new Database(path)
  db.run("PRAGMA journal_mode = DELETE")
  db.run(sql)
  db.close()
  return readFile(path).finally(() => rm(path))
}

interface Refused {
  readonly what: string
  readonly content: () => Buffer | Promise<Buffer>
  readonly says: string
  readonly remedy: string
}

const cases: ReadonlyArray<Refused> = [
  {
    what: "an empty file",
    content: () => Buffer.of(),
    says: "empty file",
    remedy: "put a backup in its place"
  },
  {
    what: "text",
    content: () => Buffer.from("no database\n".repeat(20)),
    says: "not a SQLite",
    remedy: "put a backup in its place"
  },
  { what: "a cut header", content: () => good.subarray(0, 60), says: "not a SQLite", remedy: "put a backup" },
  {
    what: "half of itself",
    content: () => good.subarray(0, good.length / 2),
    says: "end of the file is missing",
    remedy: "put a backup"
  },
  {
    what: "a database of another program",
    content: () => made("CREATE TABLE tasks (id); INSERT INTO tasks VALUES (1); PRAGMA user_version = 4"),
    says: "another program",
    remedy: "adopt"
  },
  {
    what: "a newer database",
    content: () => {
      const newer = Buffer.from(good)
      newer.writeUInt32BE(999, 60)
      return newer
    },
    says: "newer agent-runtime (schema 999",
    remedy: "use the newer"
  },
  {
    what: "a database with a migration on record that is not known",
    content: () => changed("INSERT INTO schema_migrations VALUES (999, 'later', '')"),
    says: "newer agent-runtime (schema 999",
    remedy: "use the newer"
  },
  {
    what: "a copy of a database that has lost a column",
    content: () => changed("ALTER TABLE tasks RENAME COLUMN subject TO title"),
    says: "damaged: column subject of table tasks is missing",
    remedy: "put a backup"
  },
  {
    what: "a database with damaged pages",
    content: () => {
      const damaged = Buffer.from(good)
      for (let page = 4096; page < damaged.length; page += 4096) damaged.fill(0xff, page, page + 64)
      return damaged
    },
    says: "damaged",
    remedy: "backup"
  }
]

const intent = JSON.stringify({ kind: "note", source: "e2e", payload: {} })

for (const { content, remedy, says, what } of cases)
  test(`${what} in the database's place is refused and left as it is, with the newest backup named`, async () => {
    await rm(place.state, { recursive: true, force: true })
    const bytes = await content()
    await place.write("state/runtime.db.backup-2026-02-01T00-00-00-000Z-v1", "the newer one")
    await place.write("state/runtime.db.backup-2026-01-01T00-00-00-000Z-v1", "the older one")
    await writeFile(file, bytes)
    for (const args of [["status"], ["intake", "--json", intent], ["run-once"]]) {
      const { code, stderr, stdout } = await place.run(args)
      expect({ args, code, stdout }).toEqual({ args, code: 3, stdout: "" })
      const [first = "", second = "", ...more] = stderr.trimEnd().split("\n")
      expect(first).toStartWith(`agent-runtime: the store ${file} is not available: `)
      expect(first).toContain(says)
      expect(second).toContain(remedy)
      expect(second).toContain("runtime.db.backup-2026-02-01T00-00-00-000Z-v1")
      expect(more).toEqual([])
    }
    expect(Buffer.compare(await readFile(file), bytes)).toBe(0)
    expect((await readdir(place.state)).filter((name) => !/^(artifacts|logs)$|backup/.test(name))).toEqual([
      "runtime.db"
    ])
    const health = await place.run(["healthcheck"])
    expect(health.code).toBe(1)
    expect(JSON.parse(health.stdout)).toMatchObject({ ok: false, store: { ok: false } })
    expect(JSON.parse(health.stdout).store.problems[0]).toContain(says)
  })

test("a damaged row is set aside with an event, and the rest of the queue goes on", () =>
  inPlace({}, async (own) => {
    const damaged = await queue(own, { priority: 9 })
    const sound = await queue(own)
    const db = new Database(own.path("state", "runtime.db"))
    db.run("UPDATE tasks SET payload_json = '{' WHERE task_id = ?", [damaged])
    db.close()
    expect(await own.json(["task-list"])).toBeObject()
    expect(await runOnce(own)).toMatchObject({ status: "completed", task_id: sound })
    expect(await runOnce(own)).toEqual({ ok: true, status: "idle" })
    expect(exactly(StatusReport, await own.json(["status"])).counts).toMatchObject({
      blocked: 1,
      completed: 1
    })
    const { events } = exactly(Events, await own.json(["events"]))
    expect(events.filter((one) => one.task_id === damaged).map((one) => one.event_type)).toContain(
      "record_quarantined"
    )
  }))

test("a lock file that cannot be used is exit code 3 and says what to check; reading goes on", () =>
  inPlace({}, async (own) => {
    const id = await queue(own)
    await own.write("state/dispatch.lock/file", "")
    const told = await own.run(["run-once", "-o", "json"])
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 3, stdout: "" })
    expect(errorOf(told).error).toContain("dispatch.lock")
    expect(errorOf(told).hint).toContain("lockPath")
    expect((await story(own, id)).task.status).toBe("pending")
    expect(exactly(StatusReport, await own.json(["status"])).counts.queued).toBe(1)
    const health = await own.run(["healthcheck"])
    expect([health.code, health.stdout]).toEqual([1, expect.stringContaining("dispatch.lock is not a file")])
  }))

test("a folder, a dangling link and a lonely journal in its place are refused with exit code 3", async () => {
  const lay: ReadonlyArray<readonly [says: string, lay: () => Promise<unknown>]> = [
    ["it is a folder", () => place.write("state/runtime.db/file", "")],
    ["symbolic link", () => place.write("state/.keep", "").then(() => symlink("nowhere.db", file))],
    ["its journal (-wal) is there", () => place.write("state/runtime.db-wal", "rest of a journal")]
  ]
  for (const [says, make] of lay) {
    await rm(place.state, { recursive: true, force: true })
    await make()
    const told = await place.run(["intake", "--json", intent, "-o", "json"])
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 3, stdout: "" })
    expect(errorOf(told)).toMatchObject({ code: "store_unavailable", error: expect.stringContaining(says) })
    expect(errorOf(told).hint).not.toBeNull()
  }
})
