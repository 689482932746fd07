import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit } from "effect"
import { latest, MIGRATIONS } from "../../../layers/store/Migrations.ts"
import { note } from "../../../layers/store/NewestBackup.ts"
import { file } from "../../../layers/store/SqlStore.ts"
import { Store } from "../../../src/store/Store.ts"
import type { StoreUnavailable } from "../../../src/store/StoreError.ts"
import { otherProcess } from "../../support/otherProcess.ts"
import { newTask, stampAt } from "../../support/store.ts"

const SLOW = 60_000

/** Nothing is forbidden to root. */
const isRoot = process.getuid?.() === 0

let root = ""
let count = 0
const folder = (): string => {
  const made = join(root, `${count++}`)
  fs.mkdirSync(made)
  return made
}

beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), "agent-runtime-store-file-"))
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

/** How many tasks wait in the store at `path`, which it opens. */
const pending = (path: string) =>
  Effect.runPromiseExit(
    Effect.flatMap(Store, (store) => Effect.map(store.tasks.counts, (counts) => counts.pending)).pipe(
      Effect.provide(file({ filename: path, durability: "normal" }))
    )
  )

const fill = (path: string) =>
  Effect.runPromise(
    Effect.flatMap(Store, (store) => store.tasks.add(newTask("a"), stampAt(0))).pipe(
      Effect.provide(file({ filename: path, durability: "normal" }))
    )
  )

const contents = (of: string): ReadonlyArray<string> =>
  fs
    .readdirSync(of)
    // SQLite's index of the journal is made anew by every look at it.
    .filter((name) => !name.endsWith("-shm"))
    .sort()
    .map((name) => {
      const path = join(of, name)
      const what = fs.statSync(path).isFile()
        ? createHash("sha256").update(fs.readFileSync(path)).digest("hex")
        : "no file"
      return `${name} ${what}`
    })

/** Why a store does not open what is in a folder; it must not have touched anything there. */
const refusal = async (path: string): Promise<StoreUnavailable> => {
  const before = contents(join(path, ".."))
  const exit = await pending(path)
  expect(contents(join(path, ".."))).toEqual(before)
  if (Exit.isSuccess(exit) || exit.cause._tag !== "Fail")
    throw new Error(`not refused: ${JSON.stringify(exit)}`)
  expect(exit.cause.error).toMatchObject({ _tag: "StoreUnavailable", path })
  return exit.cause.error
}

const mode = (path: string) => (fs.statSync(path).mode & 0o777).toString(8)
const version = latest(MIGRATIONS)

describe("a store whose file is absent", () => {
  test("is made, private, with all the folders on the way", async () => {
    const path = join(folder(), "state", "deep", "runtime.db")
    const umask = process.umask(0o022)
    expect(await pending(path)).toEqual(Exit.succeed(0))
    process.umask(umask)
    expect([mode(path), mode(join(path, "..")), mode(join(path, "../.."))]).toEqual(["600", "700", "700"])
    expect(fs.readdirSync(join(path, ".."))).toEqual(["runtime.db"])
    const db = new Database(path, { readonly: true })
    expect(db.query("PRAGMA user_version").get()).toEqual({ user_version: version })
    expect(db.query("SELECT max(id) AS id FROM schema_migrations").get()).toEqual({ id: version })
    expect(db.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" })
    db.close()
  })

  test("keeps its journal as private as itself", async () => {
    const path = join(folder(), "runtime.db")
    const umask = process.umask(0o000)
    const modes = await Effect.runPromise(
      Effect.gen(function* () {
        const store = yield* Store
        yield* store.tasks.add(newTask("a"), stampAt(0))
        return fs.readdirSync(join(path, "..")).map((name) => [name, mode(join(path, "..", name))])
      }).pipe(Effect.provide(file({ filename: path, durability: "normal" })))
    )
    process.umask(umask)
    expect(modes.sort()).toEqual([
      ["runtime.db", "600"],
      ["runtime.db-shm", "600"],
      ["runtime.db-wal", "600"]
    ])
  })

  test("keeps what is in it when it is opened again", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    expect(await pending(path)).toEqual(Exit.succeed(1))
  })

  test("is not made while its journal lies there alone", async () => {
    const path = join(folder(), "runtime.db")
    fs.writeFileSync(`${path}-wal`, "what a lost database had not taken over")
    expect((await refusal(path)).reason).toBe("it is missing, but its journal (-wal) is there")
  })

  test("is not made where a file stands in for its folder", async () => {
    const place = join(folder(), "state")
    fs.writeFileSync(place, "")
    const exit = await pending(join(place, "runtime.db"))
    expect(String(exit)).toContain("ENOTDIR")
  })

  test("is not made at the end of a symbolic link that leads nowhere", async () => {
    const path = join(folder(), "runtime.db")
    fs.symlinkSync(join(root, "nowhere.db"), path)
    const exit = await pending(path)
    expect(String(exit)).toContain("it is a symbolic link to a file that is not there")
    expect(fs.existsSync(join(root, "nowhere.db"))).toBe(false)
    expect(fs.readdirSync(join(path, ".."))).toEqual(["runtime.db"])
  })

  test(
    "is made once by eight processes that start together",
    async () => {
      const path = join(folder(), "state", "runtime.db")
      const processes = Array.from({ length: 8 }, () => otherProcess("counts", path))
      const ends = await Promise.all(
        processes.map(async (one) => {
          const found = await one.next()
          return { found, ...(await one.end()) }
        })
      )
      expect(ends).toEqual(Array.from({ length: 8 }, () => ({ found: "0", code: 0, stderr: "" })))
      expect(fs.readdirSync(join(path, ".."))).toEqual(["runtime.db"])
    },
    SLOW
  )

  test(
    "is absent when the process that makes it is killed half way, and the next one makes it",
    async () => {
      const path = join(folder(), "runtime.db")
      const maker = otherProcess("half", path)
      expect(await maker.next()).toBe("half made")
      await maker.kill()
      expect(fs.existsSync(path)).toBe(false)
      expect(await pending(path)).toEqual(Exit.succeed(0))
    },
    SLOW
  )
})

describe("a file that is not a store of ours", () => {
  test("is refused when it is empty: that is not an empty queue", async () => {
    const path = join(folder(), "runtime.db")
    fs.writeFileSync(path, "")
    const { reason, remedy } = await refusal(path)
    expect(reason).toBe("it is an empty file, which is not an empty queue")
    expect(remedy).toBe(
      "put a backup in its place (agent-runtime restore --from FILE), or move it away to begin anew; no backup of it is known"
    )
  })

  test("is refused with a copy of ours that lies beside it, whatever its name is, but for one in use", async () => {
    const place = folder()
    const [path, copy, used] = ["runtime.db", "monday.db", "other.db"].map((name) => join(place, name))
    const header = Buffer.alloc(4096)
    header.write("SQLite format 3\0", 0, "latin1")
    header.writeUInt32BE(0x41725431, 68)
    for (const file of [copy, used]) fs.writeFileSync(file ?? "", header)
    fs.writeFileSync(`${used}-wal`, "")
    fs.writeFileSync(join(place, "notes.txt"), "x".repeat(200))
    fs.writeFileSync(path ?? "", "")
    expect((await refusal(path ?? "")).remedy).toEndWith(
      `; another database of agent-runtime lies beside it: ${copy}`
    )
  })

  test.each([
    ["text", "notes\n".repeat(500)],
    ["a few bytes", "SQLite format 3"],
    ["a header and no more", `SQLite format 3\0${"x".repeat(40)}`]
  ])("is refused when it is %s", async (_, text) => {
    const path = join(folder(), "runtime.db")
    fs.writeFileSync(path, text)
    expect((await refusal(path)).reason).toBe("it is not a SQLite database, or it is damaged")
  })

  test("is refused when its end is missing", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    fs.truncateSync(path, fs.statSync(path).size - 4096)
    expect((await refusal(path)).reason).toBe("it is damaged: the end of the file is missing")
  })

  test("is refused when its schema is damaged", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    const fd = fs.openSync(path, "r+")
    fs.writeSync(fd, Buffer.alloc(3_000, 0x5a), 0, 3_000, 100)
    fs.closeSync(fd)
    expect((await refusal(path)).reason).toBe("the file is damaged (SQLITE_CORRUPT)")
  })

  test("is refused when another program made it", async () => {
    const path = join(folder(), "runtime.db")
    const db = new Database(path)
    db.run("CREATE TABLE tasks (id INTEGER PRIMARY KEY, status TEXT)")
    db.run("PRAGMA user_version = 1")
    db.close()
    const { reason, remedy } = await refusal(path)
    expect(reason).toBe("it is a database of another program")
    expect(remedy).toContain("agent-runtime adopt --from FILE")
  })

  test("is refused when it is a folder, or no regular file", async () => {
    const path = join(folder(), "runtime.db")
    fs.mkdirSync(path)
    expect((await refusal(path)).reason).toBe("it is a folder")
    const pipe = join(folder(), "runtime.db")
    expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true)
    expect((await refusal(pipe)).reason).toBe("it is not a regular file")
  })

  test("is refused when a newer agent-runtime wrote it, also when only the journal says so", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    const db = new Database(path)
    db.run("PRAGMA user_version = 99")
    const journalled = join(folder(), "runtime.db")
    fs.copyFileSync(path, journalled)
    fs.copyFileSync(`${path}-wal`, `${journalled}-wal`)
    db.close()
    const reason = `it was written by a newer agent-runtime (schema 99, this one knows ${version})`
    expect((await refusal(path)).reason).toBe(reason)
    expect(fs.readFileSync(journalled).readUInt32BE(60)).toBe(version)
    expect((await refusal(journalled)).reason).toBe(reason)
  })

  test("is refused with the name of the newest backup beside it", async () => {
    const path = join(folder(), "runtime.db")
    fs.writeFileSync(path, "")
    for (const name of [
      "runtime.db.backup-2026-04-29T07-00-00-000Z-v1",
      "runtime.db.backup-2026-05-01T07-00-00-000Z-v1",
      "runtime.db.backup-2026-05-01T07-00-00-000Z-v1-wal",
      "runtime.db.backup-old",
      "other.db.backup-2027-05-01T07-00-00-000Z-v1"
    ])
      fs.writeFileSync(join(path, "..", name), "")
    expect((await refusal(path)).remedy).toEndWith(
      `the newest backup beside it is ${path}.backup-2026-05-01T07-00-00-000Z-v1`
    )
  })

  test("is refused with the name of its newest backup, wherever that is, and no word of beginning anew", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    const there = join(folder(), "monday.db")
    fs.copyFileSync(path, there)
    note(path, there)
    const whole = fs.readFileSync(path)
    const newer = Buffer.from(whole)
    newer.writeUInt32BE(99, 60)
    for (const content of [
      Buffer.of(),
      Buffer.from("no database"),
      newer,
      whole.subarray(0, whole.length / 2)
    ]) {
      fs.writeFileSync(path, content)
      const { remedy } = await refusal(path)
      expect(remedy).toEndWith(`; the newest backup is ${there}`)
      expect(remedy).not.toContain("anew")
    }
    // One that a migration has made since is newer; one that is moved is told of as where it was.
    const made = `${path}.backup-2026-05-01T07-00-00-000Z-v1`
    fs.writeFileSync(made, "")
    fs.utimesSync(there, 1, 1)
    expect((await refusal(path)).remedy).toEndWith(`; the newest backup beside it is ${made}`)
    fs.rmSync(made)
    fs.renameSync(there, `${there}.moved`)
    expect((await refusal(path)).remedy).toContain(`; the newest backup was ${there}, where no database`)
    for (const damaged of ["", "{", '{"path":1}', "x".repeat(20_000)]) {
      fs.writeFileSync(`${path}.newest-backup`, damaged)
      expect((await refusal(path)).remedy).toEndWith("; no backup of it is known")
    }
  })

  test("is refused with the length of its path where SQLite takes none that long", async () => {
    const deep = join(folder(), ...Array.from({ length: 6 }, () => "d".repeat(90)))
    fs.mkdirSync(deep, { recursive: true })
    const path = join(deep, "runtime.db")
    const { reason, remedy } = await refusal(path)
    expect(reason).toMatch(
      new RegExp(`^it cannot be opened: its path has ${path.length} bytes, more than the 4\\d\\d that`)
    )
    expect(remedy).toContain("dbPath")
  })

  test.skipIf(isRoot)("is refused when it cannot be read", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    fs.chmodSync(path, 0o000)
    expect(String(await pending(path))).toContain("its mode is 000")
    fs.chmodSync(path, 0o600)
  })

  test.skipIf(isRoot)("is refused when it cannot be written, and its folder too", async () => {
    const path = join(folder(), "runtime.db")
    await fill(path)
    fs.chmodSync(join(path, ".."), 0o500)
    expect((await refusal(path)).reason).toBe("it cannot be written")
    fs.chmodSync(join(path, ".."), 0o700)
    fs.chmodSync(path, 0o400)
    const exit = await Effect.runPromiseExit(
      Effect.flatMap(Store, (store) => store.tasks.add(newTask("b"), stampAt(0))).pipe(
        Effect.provide(file({ filename: path, durability: "normal" }))
      )
    )
    expect(String(exit)).toContain("it cannot be written")
    fs.chmodSync(path, 0o600)
  })

  test.skipIf(isRoot)("is refused when its folder cannot be written", async () => {
    const place = folder()
    fs.chmodSync(place, 0o500)
    expect((await refusal(join(place, "runtime.db"))).reason).toContain("EACCES")
    fs.chmodSync(place, 0o700)
  })
})

describe("a store that another process has open", () => {
  for (const part of ["-wal", "-shm"])
    test(
      `is refused without its ${part}, of which there would be two`,
      async () => {
        const path = join(folder(), "runtime.db")
        await fill(path)
        const worker = otherProcess("hang", path)
        expect(await worker.next()).toBe("a")
        fs.rmSync(path + part)
        expect((await refusal(path)).reason).toContain("a process has it open whose journal (-wal)")
        await worker.kill()
      },
      SLOW
    )

  test(
    "and that is missing is waited for, not put back",
    async () => {
      const path = join(folder(), "runtime.db")
      await fill(path)
      const worker = otherProcess("hang", path)
      expect(await worker.next()).toBe("a")
      fs.renameSync(path, `${path}.old`)
      expect((await refusal(path)).remedy).toStartWith("wait until the process that has it open has ended")
      await worker.kill()
      expect((await refusal(path)).remedy).toStartWith("put the database back beside it")
    },
    SLOW
  )
})

describe("a store after a crash", () => {
  test(
    "is not opened through a link in its place while its journal lies beside that",
    async () => {
      const path = join(folder(), "runtime.db")
      await fill(path)
      const worker = otherProcess("hang", path)
      expect(await worker.next()).toBe("a")
      await worker.kill()
      fs.renameSync(path, join(path, "..", "real.db"))
      fs.symlinkSync("real.db", path)
      expect((await refusal(path)).reason).toContain(`${path}-wal`)
      fs.renameSync(join(path, "..", "real.db"), path)
      expect(await pending(path)).toEqual(Exit.succeed(0))
    },
    SLOW
  )

  test(
    "has what was committed: a journal that nobody took over is played",
    async () => {
      const path = join(folder(), "runtime.db")
      await fill(path)
      const worker = otherProcess("hang", path)
      expect(await worker.next()).toBe("a")
      await worker.kill()
      expect(fs.statSync(`${path}-wal`).size).toBeGreaterThan(0)
      expect(await pending(path)).toEqual(Exit.succeed(0))
      const db = new Database(path, { readonly: true })
      expect(db.query("SELECT status FROM tasks").all()).toEqual([{ status: "running" }])
      db.close()
    },
    SLOW
  )
})
