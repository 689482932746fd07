import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync } from "node:fs"
import { readFile, rename, rm, symlink } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { errorOf, inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"
import { beside } from "./resident.ts"
import { besideServers } from "./server.ts"

setDefaultTimeout(60_000)

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const statusOf = async (place: Place) =>
  (await place.json(["status"])) as { dispatcher: { held: boolean; runner_id: string | null } }

test("up on a port that is taken claims nothing", () =>
  inPlace(scripted("echo ran >> ran.txt; echo done"), async (place) => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() })
    try {
      const id = await queue(place)
      const told = await place.run(["up", "--port", String(other.port)])
      expect([told.code, told.stderr]).toEqual([1, expect.stringContaining("another program listens there")])
      expect(told.stderr).not.toContain("Dispatching")
      const { attempts, task } = await story(place, id)
      expect([task.status, attempts]).toEqual(["pending", []])
    } finally {
      await other.stop(true)
    }
  }))

test("up whose database is removed says so to everybody, saves what it took, and ends with what it runs", () =>
  inPlace(scripted("echo $$ > pid; [ -e go ] || sleep 300; echo done", { workingDir: "." }), (place) =>
    besideServers(place, async (begin) => {
      const { process: server, url } = await begin(["up"])
      const post = () =>
        fetch(`${url}/api/tasks/queue`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ message: "x" })
        })
      const { task_id } = (await (await post()).json()) as { task_id: string }
      while (!existsSync(place.path("pid"))) await Bun.sleep(5)
      await rm(place.path("state", "runtime.db"))
      expect((await post()).status).toBe(503)
      expect(await server.exited).toBe(3)
      expect(isAlive(Number(await readFile(place.path("pid"), "utf8")))).toBe(false)
      const refused = await place.run(["status", "-o", "json"])
      const saved = place.path("state", "runtime.db.rescued")
      expect([refused.code, errorOf(refused)]).toEqual([
        3,
        {
          error: expect.stringContaining(saved),
          code: "store_unavailable",
          hint: expect.stringContaining(`agent-runtime restore --from ${saved}`)
        }
      ])
      await place.json(["restore", "--from", saved])
      await place.write("go", "")
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id })
    })
  ))

const splits: ReadonlyArray<readonly [what: string, split: (file: string) => Promise<void>]> = [
  [
    "is moved behind a link",
    async (file) => {
      await rename(file, `${file}.real`)
      await symlink("runtime.db.real", file)
    }
  ],
  ["loses the index of its journal", (file) => rm(`${file}-shm`)],
  [
    "loses its journal and the index of that",
    async (file) => {
      await rm(`${file}-wal`)
      await rm(`${file}-shm`)
    }
  ]
]

for (const [what, split] of splits)
  test(`up whose database ${what} ends, and no task that was acknowledged is lost`, () =>
    inPlace(scripted("echo done"), (place) =>
      besideServers(place, async (begin) => {
        const { process: server } = await begin(["up"])
        const acknowledged = [await queue(place)]
        await split(place.path("state", "runtime.db"))
        // It is taken by a process that comes after the end of this one, or by none.
        const document = JSON.stringify({ kind: "note", source: "e2e", payload: {} })
        const told = await place.run(["intake", "--json", document])
        expect(told.code === 0 || told.code === 3).toBe(true)
        if (told.code === 0) acknowledged.push((JSON.parse(told.stdout) as { task_id: string }).task_id)
        expect(await server.exited).toBe(3)
        for (const id of acknowledged) await story(place, id)
        expect(await place.json(["healthcheck", "--deep"])).toMatchObject({ store: { ok: true } })
      })
    ))

test("a dispatcher whose lock file was removed keeps what it runs from the next one, and gives way to it", () =>
  inPlace(
    scripted("[ -e go ] || sleep 300; echo done", { workingDir: "." }, { dispatch: { drainSeconds: 0 } }),
    (place) =>
      beside(place, async (follow, begin) => {
        const first = begin()
        const id = await queue(place)
        await follow.told("task_started", id)
        const holder = (await statusOf(place)).dispatcher.runner_id
        // It cannot look at its lock, and is alive all the same.
        first.process.kill("SIGSTOP")
        await rm(place.path("state", "dispatch.lock"))
        begin()
        await follow.until((one) => one.event_type === "dispatch_idle" && one.actor.name !== holder)
        expect((await story(place, id)).attempts).toMatchObject([{ status: "running", runner_id: holder }])
        const { dispatcher } = await statusOf(place)
        expect([dispatcher.held, dispatcher.runner_id === holder]).toEqual([true, false])
        await place.write("go", "")
        const { code } = await first.ended("SIGCONT")
        expect([code, await first.stderr()]).toEqual([
          3,
          expect.stringContaining(
            `removed or replaced while this process held it, and ${dispatcher.runner_id}`
          )
        ])
        await follow.told("task_finished", id)
        const { attempts, task } = await story(place, id)
        expect([task.status, task.attempt_count]).toEqual(["completed", 1])
        expect(attempts.map((one) => one.runner_id)).toEqual([holder ?? "", dispatcher.runner_id ?? ""])
      })
  ))
