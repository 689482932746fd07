import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Either, Logger, Option } from "effect"
import { layer } from "../../../layers/store/DiskBackups.ts"
import { file } from "../../../layers/store/SqlStore.ts"
import { BackupFiles } from "../../../src/store/BackupFiles.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { otherProcess } from "../../support/otherProcess.ts"
import { at, newTask, stampAt } from "../../support/store.ts"

const SLOW = 60_000
/** The long suite makes a hundred (`AGENT_RUNTIME_TEST_BACKUPS=100`). */
const BACKUPS = Number(process.env.AGENT_RUNTIME_TEST_BACKUPS ?? 8)

let folder = ""
let count = 0
const fresh = () => {
  const made = join(folder, `${count++}`)
  fs.mkdirSync(made)
  return { database: join(made, "runtime.db"), path: (name: string) => join(made, name), made }
}

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-backups-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const silent = () => Effect.void

const copy = (database: string, to: string) =>
  Effect.flatMap(BackupFiles, (files) => files.copy(database, to, at(0), silent)).pipe(Effect.provide(layer))
const check = (path: string) =>
  Effect.flatMap(BackupFiles, (files) => files.check(path, silent)).pipe(Effect.provide(layer))
const restore = (from: string, database: string) =>
  Effect.flatMap(BackupFiles, (files) => files.restore(from, database, at(0), silent)).pipe(
    Effect.provide(layer)
  )

/** A database with tasks in it, closed again. */
const filled = (database: string, tasks: number, name = "t") =>
  Effect.gen(function* () {
    const store = yield* Store
    for (let index = 0; index < tasks; index++)
      yield* store.tasks.add(
        newTask(`${name}${index}`, { payload: { text: "x".repeat(200) } }),
        stampAt(index)
      )
  }).pipe(Effect.provide(file({ filename: database, durability: "normal" })))

const select = (path: string, sql: string): unknown => {
  const db = new Database(path, { readonly: true })
  try {
    return Object.values(db.query<Record<string, unknown>, []>(sql).get() ?? {})[0]
  } finally {
    db.close()
  }
}

const tasksIn = (path: string) => select(path, "SELECT count(*) FROM tasks")

/** What must agree in every single moment of a database that another process fills. */
const disagreements = (path: string): ReadonlyArray<unknown> => {
  const pairs = [
    ["SELECT count(*) FROM tasks", "SELECT sum(n) FROM task_counts"],
    ["SELECT count(*) FROM tasks", "SELECT count(*) FROM run_events WHERE event_type = 'task_enqueued'"]
  ] as const
  return pairs.filter(([left, right]) => select(path, left) !== select(path, right))
}

describe("a copy of the store", () => {
  it.live(
    "clears away what a backup to the same place left that was killed, and nothing of one that lives",
    () =>
      Effect.gen(function* () {
        const { database, made, path } = fresh()
        yield* filled(database, 1)
        // Beyond the greatest pid of Linux.
        const left = ["b.db.new-4194305-0123abcd", "b.db.new-4194305-0123abcd-journal"]
        const kept = [`b.db.new-${process.pid}-0123abcd`, "c.db.new-4194305-0123abcd"]
        for (const name of [...left, ...kept]) fs.writeFileSync(path(name), "half")
        const said: Array<string> = []
        const listening = Logger.make(({ message }) => void said.push(String(message)))
        yield* Effect.provide(copy(database, path("b.db")), Logger.replace(Logger.defaultLogger, listening))
        // What may be another host's is named.
        expect(said).toEqual([
          expect.stringMatching(
            /\/c\.db\.new-4194305-0123abcd is an unfinished copy that nobody on this host is/
          )
        ])
        expect(
          fs
            .readdirSync(made)
            .filter((name) => name.includes(".new-"))
            .sort()
        ).toEqual(kept.sort())
      })
  )

  it.live(
    "is one moment of it while another process writes, and is found whole when it is restored",
    () =>
      Effect.gen(function* () {
        const { database, path } = fresh()
        yield* filled(database, 20)
        const writer = yield* Effect.acquireRelease(
          // At a pace, or a hundred backups would be of ever more: their checks read all of it.
          Effect.sync(() => otherProcess("add", database, "w", "1000000", "4")),
          (process) => Effect.promise(() => process.kill())
        )
        yield* Effect.promise(() => writer.next())
        writer.goOn()
        const sizes: Array<number> = []
        for (let round = 0; round < BACKUPS; round++) {
          const made = yield* copy(database, path(`b${round}.db`))
          expect(tasksIn(made.path)).toBe(made.tasks)
          expect(disagreements(made.path)).toEqual([])
          const back = path(`restored${round}.db`)
          const restored = yield* restore(made.path, back)
          expect(restored.kept).toEqual(Option.none())
          const store = yield* Effect.flatMap(Store, ({ maintenance }) => maintenance.health(true)).pipe(
            Effect.provide(file({ filename: back, durability: "normal" }))
          )
          expect(store.problems).toEqual([])
          expect(tasksIn(back)).toBe(made.tasks)
          sizes.push(made.tasks)
        }
        // The other process was at work all the time.
        expect(sizes.at(-1)).toBeGreaterThan(sizes[0]!)
        expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
      }),
    Math.max(SLOW * 5, BACKUPS * 6_000)
  )

  it.live("has the marks of ours, is for its owner alone, and leaves nothing else behind", () =>
    Effect.gen(function* () {
      const { database, made, path } = fresh()
      yield* filled(database, 3)
      const backup = yield* copy(database, path("b.db"))
      expect(backup).toMatchObject({ path: path("b.db"), schemaVersion: 1, tasks: 3 })
      expect(backup.bytes).toBe(fs.statSync(path("b.db")).size)
      expect(fs.statSync(path("b.db")).mode & 0o777).toBe(0o600)
      expect(select(path("b.db"), "PRAGMA application_id")).toBe(select(database, "PRAGMA application_id"))
      expect(select(path("b.db"), "PRAGMA user_version")).toBe(1)
      expect(fs.readdirSync(made).filter((name) => !name.startsWith("runtime.db"))).toEqual(["b.db"])
      const sum = new Bun.CryptoHasher("sha256").update(fs.readFileSync(path("b.db"))).digest("hex")
      expect(backup.sha256).toBe(sum)
      expect(yield* check(path("b.db"))).toMatchObject({ sealed: true, problems: [], sha256: sum })
    })
  )

  it.live("is refused where something lies, where no folder is, and in the places of SQLite", () =>
    Effect.gen(function* () {
      const { database, made, path } = fresh()
      yield* filled(database, 1)
      fs.writeFileSync(path("there"), "mine")
      fs.symlinkSync(path("nowhere"), path("dangling"))
      const refused = (to: string) =>
        Effect.map(Effect.either(copy(database, to)), (told) =>
          Either.isLeft(told) && told.left._tag === "BackupFailed" ? told.left.code : "done"
        )
      expect(yield* refused(path("there"))).toBe("file_exists")
      expect(fs.readFileSync(path("there"), "utf8")).toBe("mine")
      expect(yield* refused(path("dangling"))).toBe("file_exists")
      expect(yield* refused(made)).toBe("file_exists")
      expect(yield* refused(join(made, "no", "b.db"))).toBe("path_refused")
      expect(yield* refused(join(made, "there", "b.db"))).toBe("path_refused")
      for (const name of ["runtime.db", "runtime.db-wal", "runtime.db-shm", "runtime.db-journal"])
        expect(yield* refused(path(name))).toBe("path_refused")
      expect(yield* refused(join(database, "b.db"))).toBe("path_refused")
      expect(fs.readdirSync(made).sort()).toEqual(["dangling", "runtime.db", "there"])
    })
  )

  it.live("of a damaged store is not made, and says that the store is damaged", () =>
    Effect.gen(function* () {
      const { database, made, path } = fresh()
      yield* filled(database, 200)
      const bytes = fs.readFileSync(database)
      // Pages in the middle of the tables, of which some row is.
      bytes.fill(0xff, 12 * 4096, bytes.length - 4096)
      fs.writeFileSync(database, bytes)
      const told = yield* Effect.flip(copy(database, path("b.db")))
      expect(told).toMatchObject({ _tag: "StoreUnavailable" })
      expect(fs.readdirSync(made).filter((name) => name.includes("b.db"))).toEqual([])
    })
  )
})

describe("the check of a backup", () => {
  it.live(
    "finds one changed byte wherever it is, a cut and an addition, and changes nothing",
    () =>
      Effect.gen(function* () {
        const { database, made, path } = fresh()
        yield* filled(database, 30)
        const { bytes } = yield* copy(database, path("b.db"))
        const whole = fs.readFileSync(path("b.db"))
        const places = [0, 17, 18, 30, 60, 68, 92, 99, ...Array.from({ length: 24 }, (_, n) => n), bytes - 1]
        const damaged: ReadonlyArray<Buffer> = [
          ...places.map((place, n) => {
            const flipped = Buffer.from(whole)
            const offset = n < 8 ? place : Math.floor((place * 7_919_113) % bytes)
            flipped[offset]! ^= 1 << (n % 8)
            return flipped
          }),
          whole.subarray(0, bytes - 1),
          whole.subarray(0, bytes - 4096),
          whole.subarray(0, 4096),
          whole.subarray(0, 50),
          Buffer.alloc(0),
          Buffer.concat([whole, Buffer.from("x")])
        ]
        for (const [n, content] of damaged.entries()) {
          const name = path("damaged.db")
          fs.writeFileSync(name, content)
          const before = fs.statSync(name).mtimeMs
          const found = yield* check(name)
          expect({ n, problems: found.problems.length }).toEqual({ n, problems: expect.any(Number) })
          expect({ n, ok: found.problems.length === 0 }).toEqual({ n, ok: false })
          expect(fs.readFileSync(name).equals(content)).toBe(true)
          expect(fs.statSync(name).mtimeMs).toBe(before)
          const refused = yield* Effect.flip(restore(name, path("target.db")))
          expect(refused.code).toBe("backup_invalid")
        }
        expect(fs.readdirSync(made).sort()).toEqual([
          "b.db",
          "damaged.db",
          "runtime.db",
          "runtime.db.newest-backup"
        ])
      }),
    SLOW
  )

  it.live("tells a newer one, one of another program, one in use, and what is no file", () =>
    Effect.gen(function* () {
      const { database, path } = fresh()
      yield* filled(database, 1)
      yield* copy(database, path("b.db"))
      const changed = (name: string, sql: string) => {
        fs.copyFileSync(path("b.db"), path(name))
        const db = new Database(path(name))
        db.run(sql)
        db.close()
        return Effect.map(check(path(name)), ({ problems }) => problems[0])
      }
      expect(yield* changed("new.db", "PRAGMA user_version = 99")).toContain("newer agent-runtime (schema 99")
      expect(yield* changed("other.db", "PRAGMA application_id = 7")).toContain("another program")
      expect(yield* changed("less.db", "DROP INDEX tasks_status")).toContain("index tasks_status")
      expect(yield* changed("edited.db", "UPDATE tasks SET kind = 'else'")).toContain("changed since")
      fs.copyFileSync(path("b.db"), path("used.db"))
      fs.writeFileSync(path("used.db-wal"), "x")
      expect((yield* check(path("used.db"))).problems[0]).toContain("lies beside it")
      fs.writeFileSync(path("text"), "no database at all".repeat(20))
      expect((yield* check(path("text"))).problems).toEqual(["it is not a SQLite database"])
      expect((yield* Effect.flip(check(path("absent")))).code).toBe("file_not_found")
      expect((yield* Effect.flip(check(path(".")))).code).toBe("file_not_found")
    })
  )
})
