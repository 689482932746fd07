import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { chmod, mkdir, readdir, readFile, stat, statfs, writeFile } from "node:fs/promises"
import { Schema } from "effect"
import { check } from "../faults/Checker.ts"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { errorOf, inPlace, queue, runOnce, scripted, story, withoutOverride } from "./inPlace.ts"

setDefaultTimeout(60_000)

const Backup = Schema.Struct({
  ok: Schema.Literal(true),
  path: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.String,
  schema_version: Schema.Int,
  tasks: Schema.Int,
  verified: Schema.Literal(true)
})
const Verified = Schema.Struct({
  ok: Schema.Boolean,
  path: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.String,
  schema_version: Schema.NullOr(Schema.Int),
  tasks: Schema.NullOr(Schema.Int),
  sealed: Schema.Boolean,
  problems: Schema.Array(Schema.String)
})
const Restored = Schema.Struct({
  ok: Schema.Literal(true),
  path: Schema.String,
  from: Schema.String,
  kept: Schema.NullOr(Schema.String),
  bytes: Schema.Int,
  schema_version: Schema.Int,
  tasks: Schema.Int
})
const exact = { onExcessProperty: "error" } as const
const Failed = Schema.Struct({ code: Schema.NullOr(Schema.Int), error: Schema.String })

const backup = async (place: Place, to = "b.db") =>
  Schema.decodeUnknownSync(Backup, exact)(await place.json(["backup", "--to", to]))
const restore = async (place: Place, from = "b.db") =>
  Schema.decodeUnknownSync(Restored, exact)(await place.json(["restore", "--from", from]))

const refused = async (place: Place, args: ReadonlyArray<string>): Promise<typeof Failed.Type> => {
  const told = await place.run([...args, "-o", "json"])
  expect(told.stdout).toBe("")
  return { code: told.code, error: errorOf(told).code }
}

test("a backup is made, verified and restored: what came after it is gone from the store and kept beside it", () =>
  inPlace({}, async (place) => {
    const first = await queue(place)
    await runOnce(place)
    const made = await backup(place)
    expect(made).toMatchObject({ path: place.path("b.db"), tasks: 1, schema_version: 1 })
    expect((await stat(made.path)).mode & 0o777).toBe(0o600)
    const verified = Schema.decodeUnknownSync(Verified, exact)(await place.json(["backup-verify", "b.db"]))
    const { bytes, sha256 } = made
    expect(verified).toMatchObject({ ok: true, bytes, sha256, tasks: 1, sealed: true, problems: [] })
    const second = await queue(place)
    await runOnce(place)
    const restored = await restore(place)
    expect(restored).toMatchObject({ path: place.path("state", "runtime.db"), from: made.path, tasks: 1 })
    expect((await story(place, first)).task.status).toBe("completed")
    expect((await place.run(["task-show", second])).code).toBe(1)
    const kept = new Database(restored.kept ?? "", { readonly: true })
    expect(kept.query("SELECT task_id FROM tasks ORDER BY created_at").values().flat()).toEqual([
      first,
      second
    ])
    kept.close()
    expect(await runOnce(place)).toMatchObject({ status: "idle" })
    await queue(place)
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    expect(
      check({ database: restored.path, artifacts: place.path("state", "artifacts"), atRest: true })
    ).toEqual([])
  }))

test("a task that ran while the backup was made is put back by the next cycle of the restored store", () =>
  inPlace(scripted("[ -f ran ] && exit 0; touch ran; echo started > told; cat go"), async (place) => {
    for (const pipe of ["told", "go"]) Bun.spawnSync(["mkfifo", place.path(pipe)])
    const id = await queue(place)
    const running = place.start(["run-once"])
    await Bun.spawn(["cat", place.path("told")], { stdout: "ignore" }).exited
    await backup(place)
    expect(await refused(place, ["restore", "--from", "b.db"])).toEqual({ code: 1, error: "dispatch_locked" })
    await writeFile(place.path("go"), "go on\n")
    await running.exited
    expect((await story(place, id)).task.status).toBe("completed")
    await restore(place)
    expect((await story(place, id)).task.status).toBe("running")
    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
    const { attempts, task } = await story(place, id)
    expect(attempts[0]?.reason).toBe("boot_sweep")
    expect(task.status).toBe("completed")
  }))

test("a backup is refused where it would overwrite, where no folder is, and in the places of SQLite", () =>
  inPlace({}, async (place) => {
    await queue(place)
    await backup(place)
    const before = await readFile(place.path("b.db"))
    const to = (path: string) => refused(place, ["backup", "--to", path])
    expect(await to("b.db")).toEqual({ code: 1, error: "file_exists" })
    expect(await to("no/b.db")).toEqual({ code: 2, error: "path_refused" })
    expect(await to("state/runtime.db")).toEqual({ code: 2, error: "path_refused" })
    expect(await to("state/runtime.db-wal")).toEqual({ code: 2, error: "path_refused" })
    expect((await readFile(place.path("b.db"))).equals(before)).toBe(true)
    expect((await place.run(["backup"])).code).toBe(2)
    expect((await readdir(place.folder)).filter((name) => name.includes(".new-"))).toEqual([])
  }))

test("a changed byte and a cut are told with exit code 1, without configuration, and such a file is not restored", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    const { bytes } = await backup(place)
    const whole = await readFile(place.path("b.db"))
    const flipped = Buffer.from(whole)
    const at = whole.indexOf(id)
    flipped[at]! ^= 1
    await writeFile(place.path("flipped.db"), flipped)
    await writeFile(place.path("cut.db"), whole.subarray(0, bytes - 100))
    for (const name of ["flipped.db", "cut.db"]) {
      const told = await place.run(["backup-verify", name], { env: { AGENT_RUNTIME_CONFIG: "/nowhere" } })
      expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 1, stderr: "" })
      const found = Schema.decodeUnknownSync(Verified, exact)(JSON.parse(told.stdout))
      expect(found.ok).toBe(false)
      expect(found.problems.length).toBeGreaterThan(0)
      expect(await refused(place, ["restore", "--from", name])).toEqual({ code: 1, error: "backup_invalid" })
    }
    expect(await refused(place, ["backup-verify", "absent.db"])).toEqual({ code: 1, error: "file_not_found" })
    expect((await story(place, id)).task.status).toBe("pending")
    expect((await readdir(place.state)).filter((name) => name.startsWith("runtime.db."))).toEqual([
      "runtime.db.newest-backup"
    ])
  }))

test("a store that is damaged or lost is replaced all the same, and healthcheck knows the backup", () =>
  inPlace({}, async (place) => {
    const health = async () => {
      const { store } = JSON.parse((await place.run(["healthcheck"])).stdout)
      return { ok: store.ok, warnings: store.warnings.length, at: store.backed_up_at }
    }
    const id = await queue(place)
    expect(await health()).toEqual({ ok: true, warnings: 1, at: null })
    await backup(place)
    expect(await health()).toEqual({ ok: true, warnings: 0, at: expect.any(String) })
    for (const text of ["no database at all", ""]) {
      await writeFile(place.path("state", "runtime.db"), text)
      expect((await place.run(["status"])).code).toBe(3)
      const { kept } = await restore(place)
      expect(await readFile(kept ?? "", "utf8")).toBe(text)
      expect((await story(place, id)).task.status).toBe("pending")
    }
    expect(await health()).toEqual({ ok: true, warnings: 0, at: expect.any(String) })
    await Bun.file(place.path("state", "runtime.db")).delete()
    expect((await restore(place)).kept).toBeNull()
    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
  }))

test("a folder that may not be written is told, with what to do", () =>
  inPlace({}, async (place) => {
    await queue(place)
    await mkdir(place.path("locked"))
    await chmod(place.path("locked"), 0o500)
    const told = await place.run(["backup", "--to", "locked/b.db"], { under: withoutOverride })
    expect(told.code).toBe(1)
    expect(told.stderr).toContain("EACCES")
    expect(told.stderr).toContain("check the rights of the folder")
  }))

needs("tmpfs")("on a full disk no half file has the name that was asked for", () =>
  inPlace({}, async (place) => {
    await queue(place, { payload: { text: "x".repeat(500_000) } })
    const disk = place.path("disk")
    await mkdir(disk)
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=2048k", "tmpfs", disk]).exitCode).toBe(0)
    try {
      for (const freeKib of [0, 100, 400, 600]) {
        const { bavail, bsize } = await statfs(disk)
        await writeFile(place.path("disk", "fill"), Buffer.alloc(bavail * bsize - freeKib * 1024))
        expect({ freeKib, ...(await refused(place, ["backup", "--to", "disk/b.db"])) }).toEqual({
          freeKib,
          code: 1,
          error: "disk_full"
        })
        expect(await readdir(disk)).toEqual(["fill"])
        await Bun.file(place.path("disk", "fill")).delete()
      }
      expect((await backup(place, "disk/b.db")).tasks).toBe(1)
    } finally {
      Bun.spawnSync(["umount", "-l", disk])
    }
  })
)
