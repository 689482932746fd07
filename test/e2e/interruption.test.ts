import { expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import type { Place } from "../support/binary.ts"
import { inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"
import { exactly, StatusReport } from "./wire.ts"

setDefaultTimeout(60_000)

/**
 * A script that holds the FIFO `held` open and says so through it; when nobody of its processes is left, the
 * FIFO's reader meets the end. After the first time (`once`) it just tells
 * which of the processes in `pids` are alive.
 */
const holds = (work: string) =>
  scripted(
    [
      'if [ -f once ]; then echo "alive:"; for pid in $(cat pids); do grep -qa . /proc/$pid/cmdline 2>/dev/null && echo $pid; done; exit 0; fi',
      ": > once; : > pids; exec 3> held; echo ready >&3",
      work
    ].join("\n")
  )

/** The other end of `held`: `ready` when the script runs, `gone` when the last of its processes is gone. */
const watch = (place: Place) => {
  Bun.spawnSync(["mkfifo", place.path("held"), place.path("go")])
  const cat = Bun.spawn(["cat", place.path("held")], { stdin: "ignore", stdout: "pipe", stderr: "ignore" })
  const reader = cat.stdout.getReader()
  return {
    ready: async () => expect((await reader.read()).done).toBe(false),
    gone: async () => {
      while (!(await reader.read()).done);
    },
    end: () => cat.kill("SIGKILL")
  }
}

/** Waits until a process has tied its child to itself: both ends of a pipe of its own are O_ASYNC (proc(5), fdinfo). */
const tied = async (pid: number) => {
  const isAsync = (fd: string): boolean => {
    try {
      const [, flags = "0"] = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? []
      return (Number.parseInt(flags, 8) & 0o20000) !== 0
    } catch {
      // It was closed meanwhile.
      return false
    }
  }
  while (readdirSync(`/proc/${pid}/fdinfo`).filter(isAsync).length < 2) await Bun.sleep(1)
}

/** Runs a test body while `run-once` runs the task that was queued first. */
const whileRunning = (
  work: string,
  body: (scene: {
    readonly place: Place
    readonly id: string
    readonly running: ReturnType<Place["start"]>
    readonly gone: () => Promise<void>
  }) => Promise<void>
) =>
  inPlace(holds(work), async (place) => {
    const { end, gone, ready } = watch(place)
    const id = await queue(place)
    const running = place.start(["run-once"])
    try {
      await ready()
      await tied(running.pid)
      await body({ place, id, running, gone })
    } finally {
      running.kill("SIGKILL")
      end()
    }
  })

const GRANDCHILDREN =
  "setsid sleep 600 & echo $! >> pids; env -i sleep 600 & echo $! >> pids; sh -c 'sleep 600' & echo $! >> pids; echo all started >&3; wait"

test("kill -9 of run-once ends its direct child at once; the next cycle takes the task back and completes it", () =>
  whileRunning("exec sleep 600", async ({ gone, id, place, running }) => {
    running.kill("SIGKILL")
    await running.exited
    await gone()
    const dead = exactly(StatusReport, await place.json(["status"]))
    expect(dead).toMatchObject({ dispatcher: { held: false }, counts: { running: 1 } })
    expect(await runOnce(place)).toMatchObject({ ok: true, status: "completed", task_id: id })
    const { attempts, events, task } = await story(place, id)
    expect(task.attempt_count).toBe(2)
    expect(attempts.map((one) => [one.number, one.status])).toEqual([
      [1, "finished"],
      [2, "finished"]
    ])
    expect(attempts[0]?.reason).toContain("boot_sweep")
    expect(events.map((one) => one.event_type)).toContain("boot_sweep_reclaimed")
  }))

test("grandchildren of a killed run-once are gone before the next cycle claims anything", () =>
  whileRunning(GRANDCHILDREN, async ({ gone, id, place, running }) => {
    running.kill("SIGKILL")
    await running.exited
    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
    expect((await story(place, id)).task.outcome?.operator_summary).toBe("alive:")
    await gone()
  }))

test("a second run-once is told that the lock is held, by whom and since when; the first one goes on", () =>
  whileRunning("read -r word < go; echo heard $word", async ({ id, place, running }) => {
    const other = await queue(place)
    expect(await place.json(["run-once"])).toEqual({ ok: false, reason: "dispatch_locked" })
    const now = exactly(StatusReport, await place.json(["status"]))
    expect(now).toMatchObject({ runtime_state: "running", counts: { running: 1, queued: 1 } })
    expect(now.dispatcher.held).toBe(true)
    expect(now.dispatcher.runner_id).toContain(`:${running.pid}:`)
    expect(now.dispatcher.since).not.toBeNull()
    expect((await story(place, other)).waiting).toMatchObject({ reason: "concurrency" })
    await Bun.write(place.path("go"), "a word\n")
    expect(JSON.parse(await new Response(running.stdout).text())).toMatchObject({
      status: "completed",
      task_id: id,
      operator_summary: "heard a word"
    })
    expect(await running.exited).toBe(0)
  }))

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const)
  test(`${signal} to run-once stops its processes and puts the task back, uncounted and due at once`, () =>
    whileRunning("sleep 600 & setsid sleep 600 & sleep 600", async ({ gone, id, place, running }) => {
      running.kill(signal)
      const [stdout, ended] = await Promise.all([new Response(running.stdout).text(), running.exited])
      expect({ stdout, ended }).toEqual({ stdout: "", ended: code })
      await gone()
      const { attempts, events, task } = await story(place, id)
      expect(task.attempt_count).toBe(0)
      expect(["pending", "retryable_failure"]).toContain(task.status)
      expect(attempts).toMatchObject([{ status: "finished", exit_status: "canceled" }])
      expect(events.map((one) => one.event_type)).toContain("dispatch_drained")
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
    }))

test("a running task is canceled only with --force, which its dispatcher does", () =>
  whileRunning("sleep 600 & sleep 600", async ({ gone, id, place, running }) => {
    const refused = await place.run(["task-cancel", id])
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: "" })
    expect(await place.json(["task-cancel", id, "--force", "--reason", "enough"])).toEqual({
      ok: true,
      task_id: id,
      status: "cancel_requested"
    })
    const said = JSON.parse(await new Response(running.stdout).text())
    expect(said).toMatchObject({ ok: true, status: "operator_canceled", task_id: id })
    await gone()
    const { events, task } = await story(place, id)
    expect(task.status).toBe("operator_canceled")
    expect(events.map((one) => one.event_type)).toEqual(
      expect.arrayContaining(["task_cancel_requested", "task_operator_canceled"])
    )
  }))

test("with no dispatcher alive the one who cancels by force does it", () =>
  whileRunning("setsid sleep 600 & sleep 600", async ({ gone, id, place, running }) => {
    running.kill("SIGKILL")
    await running.exited
    expect(await place.json(["task-cancel", "--force", id])).toEqual({
      ok: true,
      task_id: id,
      status: "operator_canceled"
    })
    await gone()
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
  }))
