import { expect, setDefaultTimeout, test } from "bun:test"
import { rm } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { inPlace, queue, scripted, story } from "./inPlace.ts"
import { beside } from "./resident.ts"

setDefaultTimeout(60_000)

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
        await follow.told("dispatch_idle")
        expect((await story(place, id)).attempts).toMatchObject([{ status: "running", runner_id: holder }])
        const { dispatcher } = await statusOf(place)
        expect([dispatcher.held, dispatcher.runner_id === holder]).toEqual([true, false])
        await place.write("go", "")
        const { code } = await first.ended("SIGCONT")
        expect([code, await first.stderr()]).toEqual([
          3,
          expect.stringContaining(`removed or replaced while this process held it, and ${dispatcher.runner_id}`)
        ])
        await follow.told("task_finished", id)
        const { attempts, task } = await story(place, id)
        expect([task.status, task.attempt_count]).toEqual(["completed", 1])
        expect(attempts.map((one) => one.runner_id)).toEqual([holder ?? "", dispatcher.runner_id ?? ""])
      })
  ))
