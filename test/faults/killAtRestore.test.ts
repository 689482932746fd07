import { Database } from "bun:sqlite"
import { describe, expect } from "bun:test"
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inPlace, queue, runOnce } from "../e2e/inPlace.ts"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"

const LIMIT_MS = 600_000
/** Every how many calls the command is killed; `AGENT_RUNTIME_TEST_EVERY=1` tries all of them. */
const EVERY = Number(process.env.AGENT_RUNTIME_TEST_EVERY ?? 5)

const syscalls = ["pwrite64", "write", "fsync", "link,linkat", "rename,renameat,renameat2", "unlink,unlinkat"]

const counted = async (place: Place, args: ReadonlyArray<string>) => {
  const folder = await mkdtemp(join(tmpdir(), "agent-runtime-strace-"))
  try {
    const log = join(folder, "calls")
    const trace = `trace=${syscalls.join(",")}`
    const told = await place.run(args, { under: ["strace", "-f", "-qq", "-o", log, "-e", trace] })
    expect(told.code).toBe(0)
    // strace counts the calls of each thread by itself.
    const threads = new Map<string, number>()
    for (const line of (await readFile(log, "utf8")).split("\n")) {
      const [, thread = "", name = ""] = /^(\d+) +(\w+)\(/.exec(line) ?? []
      const group = syscalls.find((one) => one.split(",").includes(name))
      if (group !== undefined) threads.set(`${group} ${thread}`, (threads.get(`${group} ${thread}`) ?? 0) + 1)
    }
    return new Map(
      syscalls.map((group) => [
        group,
        Math.max(0, ...[...threads].filter(([key]) => key.startsWith(`${group} `)).map(([, n]) => n))
      ])
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Kills a command as it enters each of a sample of calls; `judge` looks at what is left each time. */
const killed = async (
  place: Place,
  args: ReadonlyArray<string>,
  prepare: () => Promise<void>,
  judge: (point: string) => Promise<void>
) => {
  await prepare()
  const counts = await counted(place, args)
  let deaths = 0
  for (const [group, most] of counts)
    for (let at = 1; at <= most; at += group.startsWith("link") || group.startsWith("rename") ? 1 : EVERY) {
      await prepare()
      const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${group}`]
      const inject = ["-e", `inject=${group}:signal=KILL:when=${at}`]
      const told = await place.run(args, { under: [...under, ...inject] })
      if (told.signal === "SIGKILL") deaths++
      await judge(`${group} ${at}`)
    }
  return deaths
}

const tasksIn = (path: string): ReadonlyArray<unknown> => {
  const db = new Database(path, { readwrite: true, create: false })
  try {
    expect(db.query("PRAGMA integrity_check").values()).toEqual([["ok"]])
    return db.query("SELECT task_id FROM tasks ORDER BY created_at").values().flat()
  } finally {
    db.close()
  }
}

describe("a SIGKILL at any point", () => {
  const test = needs("strace")

  test(
    "of restore leaves the old store or the backup's, whole, and the next one goes through",
    () =>
      inPlace({}, async (place) => {
        const database = place.path("state", "runtime.db")
        const first = await queue(place)
        await place.json(["backup", "--to", "b.db"])
        const second = await queue(place)
        await copyFile(database, place.path("whole.db"))
        const outcomes = new Set<string>()
        const prepare = async () => {
          for (const name of await readdir(place.state))
            if (name.startsWith("runtime.db")) await rm(join(place.state, name))
          await copyFile(place.path("whole.db"), database)
        }
        const deaths = await killed(place, ["restore", "--from", "b.db"], prepare, async (point) => {
          const ids = tasksIn(database)
          const which = ids.length === 2 ? "old" : "new"
          expect({ point, ids }).toEqual({ point, ids: which === "old" ? [first, second] : [first] })
          outcomes.add(which)
          const kept = (await readdir(place.state)).filter((name) => /replaced-[^.]*$/.test(name))
          if (which === "new") expect(tasksIn(join(place.state, kept[0] ?? ""))).toEqual([first, second])
          expect({ point, code: (await place.run(["restore", "--from", "b.db"])).code }).toEqual({
            point,
            code: 0
          })
          expect(tasksIn(database)).toEqual([first])
        })
        expect(deaths).toBeGreaterThan(5)
        expect([...outcomes].sort()).toEqual(["new", "old"])
        expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: first })
      }),
    LIMIT_MS
  )

  test(
    "of backup leaves no file of that name, or a whole one",
    () =>
      inPlace({}, async (place) => {
        await queue(place)
        const outcomes = new Set<string>()
        const clean = async () => {
          for (const name of await readdir(place.folder))
            if (name.startsWith("b.db")) await rm(place.path(name))
        }
        const deaths = await killed(place, ["backup", "--to", "b.db"], clean, async (point) => {
          const there = (await readdir(place.folder)).includes("b.db")
          outcomes.add(there ? "whole" : "none")
          if (!there) return
          const told = await place.run(["backup-verify", "b.db"])
          expect({ point, code: told.code, stdout: told.code === 0 ? "" : told.stdout }).toEqual({
            point,
            code: 0,
            stdout: ""
          })
        })
        expect(deaths).toBeGreaterThan(5)
        expect([...outcomes].sort()).toEqual(["none", "whole"])
        expect((await place.run(["healthcheck", "--deep"])).code).toBe(0)
      }),
    LIMIT_MS
  )
})
