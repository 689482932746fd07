import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DateTime, Effect, Option } from "effect"
import { layer } from "../../../layers/store/DiskBackups.ts"
import { file } from "../../../layers/store/SqlStore.ts"
import { uuidV7 } from "../../../src/domain/Ids.ts"
import { now } from "../../../src/domain/Time.ts"
import { BackupFiles } from "../../../src/store/BackupFiles.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { otherProcess } from "../../support/otherProcess.ts"
import { at, newTask, stampAt } from "../../support/store.ts"

let folder = ""
let count = 0

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-restore-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const silent = () => Effect.void

const NOBODY = 65_534
/** Only root can give a file to somebody. */
const root = (name: string, body: () => Effect.Effect<unknown, unknown>) =>
  process.getuid?.() === 0 ? it.live(name, body) : test.skip(name, () => undefined)

const restore = (from: string, database: string) =>
  Effect.flatMap(BackupFiles, (files) => files.restore(from, database, at(0), silent)).pipe(
    Effect.provide(layer)
  )

const add = (database: string, names: ReadonlyArray<string>) =>
  Effect.flatMap(Store, (store) =>
    Effect.forEach(names, (name) => store.tasks.add(newTask(name), stampAt(0)), { discard: true })
  ).pipe(Effect.provide(file({ filename: database, durability: "normal" })))

/** A store with one task, a backup of it, and a second task that came later. */
const scene = Effect.gen(function* () {
  const made = join(folder, `${count++}`)
  fs.mkdirSync(made)
  const [database, backup] = [join(made, "runtime.db"), join(made, "backup.db")]
  yield* add(database, ["kept"])
  yield* Effect.flatMap(BackupFiles, (files) => files.copy(database, backup, at(0), silent)).pipe(
    Effect.provide(layer)
  )
  yield* add(database, ["later", "later still"])
  return { made, database, backup, names: () => fs.readdirSync(made).sort() }
})

const all = (path: string, sql: string): ReadonlyArray<unknown> => {
  const db = new Database(path, { readonly: true })
  try {
    return db.query<unknown, []>(sql).values().flat()
  } finally {
    db.close()
  }
}
const tasksIn = (path: string) => all(path, "SELECT task_id FROM tasks ORDER BY task_id")

describe("a restored store", () => {
  it.live("has no runner that is at work: none outlives the restore", () =>
    Effect.gen(function* () {
      const { backup, database } = yield* scene
      const copy = new Database(database)
      copy.run(
        `INSERT INTO runners (runner_id, host, pid, mode, lock_path, limits_json, started_at)
         VALUES ('r', 'h', 1, 'dispatch', '/lock', '{}', '${at(0)}')`
      )
      copy.close()
      const running = `${backup}.running`
      yield* Effect.flatMap(BackupFiles, (files) => files.copy(database, running, at(0), silent)).pipe(
        Effect.provide(layer)
      )
      yield* restore(running, database)
      expect(all(database, "SELECT count(*) FROM runners WHERE ended_at IS NULL")).toEqual([0])
      expect(all(database, "SELECT runner_id FROM runners")).toEqual(["r"])
    })
  )

  it.live("is that of the backup, and the one that was there lies whole beside it", () =>
    Effect.gen(function* () {
      const { backup, database, made, names } = yield* scene
      const before = fs.readFileSync(backup)
      const { kept, ...restored } = yield* restore(backup, database)
      expect(restored).toMatchObject({ path: database, backup: { path: backup, tasks: 1 } })
      const aside = Option.getOrThrow(kept)
      expect(names()).toEqual([
        "backup.db",
        "runtime.db",
        "runtime.db.newest-backup",
        aside.slice(made.length + 1)
      ])
      expect(fs.statSync(database).mode & 0o777).toBe(0o600)
      expect(tasksIn(database)).toEqual(["kept"])
      expect(tasksIn(aside)).toEqual(["kept", "later", "later still"])
      expect(all(aside, "PRAGMA integrity_check")).toEqual(["ok"])
      expect(fs.readFileSync(backup).equals(before)).toBe(true)
      // The one that was put aside is a backup as well, and a second one does not take its name.
      const again = yield* restore(aside, database)
      expect(tasksIn(database)).toEqual(["kept", "later", "later still"])
      expect(again.kept).toEqual(Option.some(`${aside}-2`))
    })
  )

  it.live("takes what a lost one had saved back, which the present one asks for until then", () =>
    Effect.gen(function* () {
      const { backup, database } = yield* scene
      const saved = `${database}.rescued`
      const problems = Effect.flatMap(Store, ({ maintenance }) =>
        Effect.map(maintenance.health(false), (told) => told.problems)
      ).pipe(Effect.provide(file({ filename: database, durability: "normal" })))
      // All of it is in the present one.
      fs.copyFileSync(backup, saved)
      expect(yield* problems).toEqual([])
      fs.renameSync(database, saved)
      yield* restore(backup, database)
      const remedy = `put it in its place with: agent-runtime restore --from ${saved} (or move it away to go on without it)`
      expect(yield* Effect.flip(problems)).toMatchObject({ _tag: "StoreUnavailable", remedy })
      fs.renameSync(saved, `${saved}.away`)
      const appearing = Effect.gen(function* () {
        const { maintenance } = yield* Store
        fs.renameSync(`${saved}.away`, saved)
        return (yield* maintenance.health(false)).problems
      }).pipe(Effect.provide(file({ filename: database, durability: "normal" })))
      expect(yield* appearing).toEqual([expect.stringContaining(remedy)])
      yield* restore(saved, database)
      expect(yield* problems).toEqual([])
      // What is saved by the same name another time is not taken for what was put back.
      yield* add(database, ["later than that"])
      fs.renameSync(database, saved)
      yield* restore(backup, database)
      expect(yield* Effect.flip(problems)).toMatchObject({ remedy })
    })
  )

  root("belongs to whom the one before did, though root puts it there", () =>
    Effect.gen(function* () {
      const { backup, database, made } = yield* scene
      fs.chownSync(database, NOBODY, NOBODY)
      yield* restore(backup, database)
      expect(fs.statSync(database)).toMatchObject({ uid: NOBODY, gid: NOBODY })
      fs.rmSync(database)
      fs.chownSync(made, NOBODY, NOBODY)
      yield* restore(backup, database)
      expect(fs.statSync(database)).toMatchObject({ uid: NOBODY, gid: NOBODY })
      fs.rmSync(database)
      yield* add(database, ["new"])
      for (const suffix of ["", "-wal", "-shm"])
        if (fs.existsSync(database + suffix)) expect(fs.statSync(database + suffix).uid).toBe(NOBODY)
    })
  )

  it.live("knows the backup, and gives no id of an event again that the other has given", () =>
    Effect.gen(function* () {
      const { backup, database } = yield* scene
      const [last] = all(database, "SELECT max(id) FROM run_events")
      yield* restore(backup, database)
      expect(all(database, "SELECT path, verified_at FROM backups")).toEqual([
        backup,
        "2026-04-29T07:00:00.000Z"
      ])
      yield* add(database, ["new"])
      expect(all(database, "SELECT max(id) FROM run_events")).toEqual([Number(last) + 1])
      const { problems } = yield* Effect.flatMap(Store, ({ maintenance }) => maintenance.health(true)).pipe(
        Effect.provide(file({ filename: database, durability: "normal" }))
      )
      expect(problems).toEqual([])
    })
  )

  it.live("knows since when it stands there: after whatever the one that was there has on record", () =>
    Effect.gen(function* () {
      const { backup, database } = yield* scene
      const standsSince = Effect.flatMap(Store, ({ maintenance }) =>
        maintenance.prune.since(at(0), false)
      ).pipe(Effect.provide(file({ filename: database, durability: "normal" })))
      const made = yield* standsSince
      const began = yield* now
      yield* restore(backup, database)
      const restored = yield* standsSince
      expect(DateTime.lessThan(made, began)).toBe(true)
      expect(DateTime.between(restored, { minimum: began, maximum: yield* now })).toBe(true)
      // Its clock was ahead, as it gave the ids of some; those of an adopted database tell no time.
      const ahead = DateTime.add(began, { days: 3 })
      const db = new Database(database)
      db.run("PRAGMA foreign_keys = OFF")
      const id = (hours: number) =>
        uuidV7(DateTime.add(ahead, { hours }).epochMillis, 0, new Uint8Array(10).fill(255))
      for (const one of ["zz", "019", id(-1)])
        db.run(
          `INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, status, started_at, ended_at)
           VALUES (?, 'kept', (SELECT count(*) FROM attempts), 1, 'r', 'h', 'finished', '', '')`,
          [one]
        )
      for (const one of ["b-1", id(0)])
        db.run(
          `INSERT INTO bundles VALUES (?, 'kept', 'zz', 'hash', 1, 'lumen', 'local', 'script', NULL, 'inputs_frozen', ?, '', '')`,
          [one, one]
        )
      db.close()
      yield* restore(backup, database)
      expect(yield* standsSince).toEqual(DateTime.add(ahead, { millis: 1 }))
    })
  )

  it.live("takes the place of a damaged one, whose journal cannot get into it, and of none", () =>
    Effect.gen(function* () {
      const { backup, database, names } = yield* scene
      fs.writeFileSync(database, "no database ".repeat(1_000))
      fs.writeFileSync(`${database}-wal`, "a journal")
      const { kept } = yield* restore(backup, database)
      const aside = Option.getOrThrow(kept)
      expect(tasksIn(database)).toEqual(["kept"])
      expect(fs.readFileSync(aside, "utf8")).toStartWith("no database")
      expect(fs.readFileSync(`${aside}-wal`, "utf8")).toBe("a journal")
      fs.rmSync(database)
      fs.writeFileSync(`${database}-wal`, "another journal")
      expect((yield* restore(backup, database)).kept).toEqual(Option.none())
      expect(tasksIn(database)).toEqual(["kept"])
      expect(names().filter((name) => name === "runtime.db-wal")).toEqual([])
      expect(names().filter((name) => name.endsWith("-wal-2"))).toHaveLength(1)
    })
  )

  it.live("keeps a symbolic link that leads to the store", () =>
    Effect.gen(function* () {
      const { backup, database, made } = yield* scene
      const link = join(made, "link.db")
      fs.symlinkSync("runtime.db", link)
      expect((yield* restore(backup, link)).path).toBe(database)
      expect(fs.readlinkSync(link)).toBe("runtime.db")
      expect(tasksIn(link)).toEqual(["kept"])
    })
  )
})

describe("a restore is refused and changes nothing", () => {
  it.live("while another process has the store open", () =>
    Effect.gen(function* () {
      const { backup, database } = yield* scene
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => otherProcess("demand", database)),
        (process) => Effect.promise(() => process.kill())
      )
      yield* Effect.promise(() => other.next())
      expect(yield* Effect.flip(restore(backup, database))).toMatchObject({ code: "database_in_use" })
      other.goOn()
      expect(yield* Effect.promise(() => other.next())).toBe("added")
      expect(tasksIn(database)).toEqual(["kept", "later", "later still", "other 0"])
    })
  )

  it.live("where a database of another program lies, or the backup is the store itself", () =>
    Effect.gen(function* () {
      const { backup, database, made } = yield* scene
      const foreign = join(made, "foreign.db")
      const db = new Database(foreign)
      db.run("CREATE TABLE mine (a)")
      db.close()
      expect(yield* Effect.flip(restore(backup, foreign))).toMatchObject({ code: "path_refused" })
      expect(all(foreign, "SELECT name FROM sqlite_schema")).toEqual(["mine"])
      expect(yield* Effect.flip(restore(database, database))).toMatchObject({ code: "path_refused" })
      expect(tasksIn(database)).toEqual(["kept", "later", "later still"])
    })
  )
})

it.live("whoever opened the file just before it was replaced cannot write a journal beside the new one", () =>
  Effect.gen(function* () {
    const { backup, database, names } = yield* scene
    const early = new Database(database, { readwrite: true, create: false })
    yield* restore(backup, database)
    expect(() => early.run("PRAGMA journal_mode = WAL")).toThrow("readonly")
    early.close()
    expect(names().filter((name) => name.endsWith("-wal"))).toEqual([])
  })
)

it.live("a second name that a dying restore has given to the store is taken off by the next one", () =>
  Effect.gen(function* () {
    const { backup, database } = yield* scene
    const left = `${database}.replaced-2020-01-01T00-00-00-000Z`
    fs.linkSync(database, left)
    const { kept } = yield* restore(backup, database)
    expect(fs.existsSync(left)).toBe(false)
    expect(tasksIn(Option.getOrThrow(kept))).toEqual(["kept", "later", "later still"])
  })
)
