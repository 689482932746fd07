import { expect, setDefaultTimeout } from "bun:test"
import { mkdir, rm, statfs, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"
import { beside } from "./resident.ts"
import { exactly, StatusReport, TaskPage } from "./wire.ts"

setDefaultTimeout(60_000)

const test = needs("tmpfs")

/** Runs a test body in a place whose state folder is a disk of its own, of so many KiB. */
const onDisk = (kib: number, script: string, body: (place: Place) => Promise<void>) =>
  inPlace(scripted(script, {}, { retryBackoffSeconds: 1 }), async (place) => {
    await mkdir(place.state)
    await mounted(place.state, kib, () => body(place))
  })

const mounted = async (folder: string, kib: number, body: () => Promise<void>): Promise<void> => {
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder])
  expect(mount.stderr.toString()).toBe("")
  try {
    await body()
  } finally {
    Bun.spawnSync(["umount", "-l", folder])
  }
}

/** Leaves so many KiB of the disk free on which a folder lies. */
const fill = async (folder: string, freeKib: number): Promise<string> => {
  const { bavail, bsize } = await statfs(folder)
  const file = join(folder, "fill")
  await writeFile(file, Buffer.alloc(bavail * bsize - freeKib * 1024))
  return file
}

const big = JSON.stringify({ kind: "note", source: "e2e", payload: { text: "x".repeat(200_000) } })

test("on a full disk nothing is acknowledged, nothing acknowledged is lost, and all goes on after space is freed", () =>
  onDisk(3_072, "echo done", async (place) => {
    const kept = [await queue(place), await queue(place)]
    for (const free of [0, 100]) {
      await fill(place.state, free)
      for (const args of free === 0 ? [["intake", "-"], ["run-once"]] : [["intake", "-"]]) {
        const told = await place.run(args, { stdin: big })
        expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code: 3, stdout: "" })
        expect(told.stderr).toContain("the disk is full")
        expect(told.stderr).toContain("free some space")
      }
      await rm(place.path("state", "fill"))
      const { tasks } = exactly(TaskPage, await place.json(["task-list"]))
      expect(tasks.map((task) => task.task_id)).toEqual(kept.toReversed())
    }
    kept.push(await queue(place))
    for (const id of kept) expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
  }))

test("a cycle whose adapter fills the disk records that once there is room, and its task waits for its next attempt", () =>
  onDisk(
    3_072,
    '[ -f once ] || { touch once; head -c 10000000 /dev/zero > "$AGENT_RUNTIME_STATE_DIR/fill"; }\necho done',
    async (place) => {
      const id = await queue(place)
      const cycle = place.start(["run-once"])
      const answer = new Response(cycle.stdout).text()
      let told = ""
      for await (const piece of cycle.stderr) {
        const before = told
        told += new TextDecoder().decode(piece)
        const isTried = /could not be recorded: the disk is full/
        if (isTried.test(told) && !isTried.test(before)) await rm(place.path("state", "fill"))
      }
      expect(await cycle.exited).toBe(0)
      expect(JSON.parse(await answer)).toMatchObject({ status: "retryable_failure", task_id: id })
      const { attempts } = await story(place, id)
      expect(attempts.map((one) => one.reason)).toEqual([
        expect.stringMatching(/^exit_error: the evidence could not be written: .*ENOSPC$/)
      ])
    }
  ))

test("a disk too small for a database is told as full, and nothing half made is left", () =>
  onDisk(64, "echo done", async (place) => {
    const told = await place.run(["status"])
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 3, stdout: "" })
    expect(told.stderr).toContain("the disk is full")
    expect(await Bun.file(place.path("state", "runtime.db")).exists()).toBe(false)
    Bun.spawnSync(["mount", "-o", "remount,size=3m", place.state])
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(0)
  }))

test("evidence that has no room holds dispatch back, which goes on by itself when there is room", () =>
  inPlace(scripted("echo done"), async (place) => {
    await place.json(["status"])
    const artifacts = place.path("state", "artifacts")
    await mounted(artifacts, 1_024, async () => {
      const filling = await fill(artifacts, 0)
      const ids = [await queue(place), await queue(place), await queue(place)]
      const statuses = async () => {
        const { tasks } = exactly(TaskPage, await place.json(["task-list"]))
        return ids.map((id) => tasks.find((task) => task.task_id === id)?.status)
      }
      await beside(place, async (follow, begin) => {
        begin()
        await follow.told("dispatch_paused")
        expect(await statuses()).toEqual(["blocked", "pending", "pending"])
        const { reason } = exactly(StatusReport, await place.json(["status"])).dispatch_paused
        expect(reason).toStartWith("nothing can be kept in the artifact root (ENOSPC): free space or mend")
        expect((await story(place, ids[1] ?? "")).waiting).toMatchObject({ reason: "paused" })
        await rm(filling)
        for (const id of ids.slice(1)) await follow.told("task_finished", id)
        expect(await statuses()).toEqual(["blocked", "completed", "completed"])
      })
    })
  }))

test("a file system that is mounted read-only is told as that, with what mends it", () =>
  onDisk(3_072, "echo done", async (place) => {
    await queue(place)
    Bun.spawnSync(["mount", "-o", "remount,ro", place.state])
    for (const args of [
      ["status"],
      ["run-once"],
      ["intake", "--json", '{"kind":"a","source":"b","payload":{}}']
    ]) {
      const told = await place.run(args)
      expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code: 3, stdout: "" })
      expect(told.stderr).toContain("mounted read-only (EROFS)")
      expect(told.stderr).toContain("mount -o remount,rw")
    }
  }))

test("a limit on the size of files is told as that, not as a full disk", () =>
  inPlace({}, async (place) => {
    await queue(place)
    const whole = place.path("whole.db")
    await place.json(["backup", "--to", whole])
    const limited = async (kib: number, ...args: ReadonlyArray<string>) => {
      const under = ["sh", "-c", `ulimit -f ${kib * 2} && exec "$@"`, "sh"]
      const { code, stderr } = await place.run(args, { under })
      expect(code).not.toBe(0)
      return stderr
    }
    for (const told of [
      await limited(50, "backup", "--to", place.path("other.db")),
      await limited(50, "restore", "--from", whole),
      await limited(10, "intake", "--json", JSON.stringify({ kind: "note", source: "e2e", payload: {} })),
      await limited(10, "run-once")
    ]) {
      expect(told).toContain("the limit on the size of files is reached")
      expect(told).toContain("ulimit -f")
      expect(told).not.toContain("disk is full")
    }
  }))
