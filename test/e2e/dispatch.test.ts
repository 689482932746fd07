import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { inPlace, queue, scripted, story } from "./inPlace.ts"
import { beside, type Follower } from "./resident.ts"

setDefaultTimeout(60_000)

/** A script that does what the task's payload says in `do`: answers at once, or works on with a daemon beside it. */
const SCRIPT = `case "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" in
  *hold*) if [ ! -f free ]; then setsid sleep 600 & sleep 600 & echo up; sleep 600; fi; echo held ;;
  *wait*) read -r word < go; echo "heard $word" ;;
  *) echo done ;;
esac`

const scene = (config: Readonly<Record<string, unknown>> = {}) => scripted(SCRIPT, {}, config)

const add = (place: Place, what: string) => queue(place, { payload: { do: what } })

/** Processes of an attempt that are alive, found by its mark. */
const processesOf = (attemptId: string): ReadonlyArray<string> =>
  Bun.spawnSync(["grep", "-lsz", `^AGENT_RUNTIME_ATTEMPT_ID=${attemptId}`, ...environs()])
    .stdout.toString()
    .split("\n")
    .filter((line) => line !== "")

const environs = (): ReadonlyArray<string> =>
  Bun.spawnSync(["sh", "-c", "ls -d /proc/[0-9]*/environ"]).stdout.toString().trim().split("\n")

/** Waits until a task that holds is at work, with all its processes; answers its attempt. */
const atWork = async (place: Place, follow: Follower, taskId: string): Promise<string> => {
  const { attempt_id } = await follow.told("task_started", taskId)
  const log = place.start(["attempt-log", attempt_id ?? "", "--follow"])
  expect((await log.stdout.getReader().read()).done).toBe(false)
  log.kill("SIGKILL")
  await log.exited
  expect(processesOf(attempt_id ?? "").length).toBeGreaterThanOrEqual(3)
  return attempt_id ?? ""
}

test("a task that another process queues is run; SIGTERM while idle ends the dispatcher at once, with 0", () =>
  inPlace(scene(), (place) =>
    beside(place, async (follow, begin) => {
      const running = begin()
      await follow.told("dispatch_idle")
      const id = await add(place, "it")
      await follow.told("task_finished", id)
      await follow.told("dispatch_idle", undefined, 2)
      const { code, ms } = await running.ended("SIGTERM")
      expect(code).toBe(0)
      // 100 ms are promised; the machine of the test may have other things to do. The queue is looked at every 5 s.
      expect(ms).toBeLessThan(4_000)
      expect(await new Response(running.process.stdout).text()).toBe("")
      const lines = (await running.stderr()).trimEnd().split("\n")
      for (const line of lines) expect(JSON.parse(line)).toMatchObject({ runner_id: expect.any(String) })
      expect((await story(place, id)).task.outcome?.operator_summary).toBe("done")
    })
  ))

test("pause holds back what comes at once, resume lets it go", () =>
  inPlace(scene(), (place) =>
    beside(place, async (follow, begin) => {
      begin()
      await follow.told("dispatch_idle")
      await place.json(["pause", "--reason", "lunch"])
      const id = await add(place, "it")
      await follow.told("dispatch_paused")
      expect((await story(place, id)).waiting).toMatchObject({ reason: "paused" })
      await place.json(["resume"])
      await follow.told("task_finished", id)
      expect(follow.seen.filter((event) => event.event_type === "dispatch_paused")).toHaveLength(1)
    })
  ))

test("SIGTERM lets end what ends in time, stops the rest with all its processes and puts it back uncounted", () =>
  inPlace(scene({ dispatch: { concurrency: 3, drainSeconds: 1 } }), (place) =>
    beside(place, async (follow, begin) => {
      Bun.spawnSync(["mkfifo", place.path("go")])
      const running = begin()
      const quick = await add(place, "wait")
      const held = [await add(place, "hold"), await add(place, "hold")]
      for (const id of held) await atWork(place, follow, id)
      const left = await add(place, "later")
      const end = running.ended("SIGTERM")
      await writeFile(place.path("go"), "a word\n")
      expect((await end).code).toBe(0)
      expect((await story(place, quick)).task).toMatchObject({
        status: "completed",
        outcome: { operator_summary: "heard a word" }
      })
      for (const id of held) {
        const { attempts, events, task } = await story(place, id)
        expect(task).toMatchObject({ status: "retryable_failure", attempt_count: 0 })
        expect(Date.parse(task.available_at)).toBeLessThanOrEqual(Date.now())
        expect(attempts).toMatchObject([{ status: "finished", exit_status: "canceled" }])
        expect(events.map((event) => event.event_type)).toContain("dispatch_drained")
        expect(processesOf(attempts[0]?.attempt_id ?? "")).toEqual([])
      }
      expect((await story(place, left)).task).toMatchObject({ status: "pending", attempt_count: 0 })
    })
  ))

test("a second SIGTERM does not wait for the drain: what runs is stopped and put back", () =>
  inPlace(scene({ dispatch: { drainSeconds: 600 } }), (place) =>
    beside(place, async (follow, begin) => {
      const first = begin()
      const id = await add(place, "hold")
      const attemptId = await atWork(place, follow, id)
      first.process.kill("SIGTERM")
      first.process.kill("SIGINT")
      const { code } = await first.process.exited.then(() => ({ code: first.process.exitCode }))
      expect(code).toBe(0)
      expect(processesOf(attemptId)).toEqual([])
      const { attempts, task } = await story(place, id)
      expect(task).toMatchObject({ status: "retryable_failure", attempt_count: 0 })
      expect(attempts).toMatchObject([{ status: "finished", exit_status: "canceled" }])
    })
  ))

/** Waits for a line of the log. */
const logged = async (place: Place, words: string): Promise<void> => {
  const file = place.path("state", "logs", "runtime.jsonl")
  while (!existsSync(file) || !(await Bun.file(file).text()).includes(words)) await Bun.sleep(10)
}

test("a second dispatcher is refused with the name of the first; run-once beside it is told so, too", () =>
  inPlace(scene(), (place) =>
    beside(place, async (follow, begin) => {
      const first = begin()
      await follow.told("dispatch_idle")
      const second = await place.run(["dispatch"])
      expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 1, stdout: "" })
      expect(second.stderr).toMatch(new RegExp(`:${first.process.pid}:.* dispatches already`))
      expect(second.stderr).toContain("--wait")
      expect(await place.json(["run-once"])).toEqual({ ok: false, reason: "dispatch_locked" })
      // What is to be served as well opens no port for it, and says nothing but that.
      const both = await place.run(["up", "--port", "0", "-o", "json"])
      expect([both.code, both.stdout, JSON.parse(both.stderr)]).toMatchObject([
        1,
        "",
        { error: expect.stringContaining(" dispatches already"), code: "dispatch_locked" }
      ])
    })
  ))

for (const [how, signal] of [
  ["ends", "SIGTERM"],
  ["is killed", "SIGKILL"]
] as const)
  test(`a dispatcher that waits takes over when the first one ${how}`, () =>
    inPlace(scene({ dispatch: { drainSeconds: 1 } }), (place) =>
      beside(place, async (follow, begin) => {
        const first = begin()
        await follow.told("dispatch_idle")
        const second = begin(["--wait"])
        await logged(place, "Waiting: ")
        const id = await add(place, "hold")
        await atWork(place, follow, id)
        await place.write("free", "")
        await first.ended(signal)
        const { actor } = await follow.told("task_finished", id)
        expect(actor.name).toContain(`:${second.process.pid}:`)
        expect((await second.ended("SIGINT")).code).toBe(0)
      })
    ))

test("a dispatcher that was killed leaves nothing running, and what it ran is run again", () =>
  inPlace(scene({ dispatch: { concurrency: 3 } }), (place) =>
    beside(place, async (follow, begin) => {
      const first = begin()
      const ids = [await add(place, "hold"), await add(place, "hold"), await add(place, "hold")]
      for (const id of ids) await atWork(place, follow, id)
      await first.ended("SIGKILL")
      await place.write("free", "")
      begin()
      for (const id of ids) {
        await follow.told("task_finished", id)
        const { attempts, task } = await story(place, id)
        expect(task).toMatchObject({ status: "completed", attempt_count: 2 })
        expect(processesOf(attempts[0]?.attempt_id ?? "")).toEqual([])
      }
    })
  ))

test("a cancel that was asked for while the dispatcher stood still is done once it goes on", () =>
  inPlace(scene(), (place) =>
    beside(place, async (follow, begin) => {
      const { process: child } = begin()
      const id = await add(place, "hold")
      const attemptId = await atWork(place, follow, id)
      child.kill("SIGSTOP")
      expect(await place.json(["task-cancel", "--force", id, "--reason", "enough"])).toEqual({
        ok: true,
        task_id: id,
        status: "cancel_requested"
      })
      expect((await story(place, id)).task.status).toBe("running")
      expect(processesOf(attemptId).length).toBeGreaterThanOrEqual(3)
      child.kill("SIGCONT")
      await follow.told("task_operator_canceled", id)
      const { attempts, events, task } = await story(place, id)
      expect(task.status).toBe("operator_canceled")
      expect(attempts).toHaveLength(1)
      expect(processesOf(attemptId)).toEqual([])
      expect(events.map((event) => event.event_type).slice(-3)).toEqual([
        "task_cancel_requested",
        "task_attempt_finished",
        "task_operator_canceled"
      ])
      const next = await add(place, "it")
      await follow.told("task_finished", next)
    })
  ))

const FAKETIME = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"].map(
  (folder) => `${folder}/faketime/libfaketime.so.1`
)

needs("faketime")(
  "what is due runs within seconds after the clock was set back two hours, and forward two days",
  () =>
    inPlace(scene(), async (place) => {
      const clock = place.path("clock")
      const set = (offset: string) => writeFile(clock, `${offset}\n`)
      const env = {
        LD_PRELOAD: FAKETIME.find((file) => existsSync(file)) ?? "",
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1"
      }
      const inSeconds = (offsetMs: number, seconds: number) =>
        new Date(Date.now() + offsetMs + seconds * 1_000).toISOString()
      const HOUR = 3_600_000
      await set("+0")
      await beside(place, async (follow, begin) => {
        begin([], { env })
        await follow.told("dispatch_idle")
        const inADay = await queue(place, { available_at: inSeconds(24 * HOUR, 0) }, { env })
        await place.run(
          [
            "schedule-create",
            "--json",
            JSON.stringify({
              name: "hourly",
              interval_seconds: 3600,
              task: { kind: "note", source: "s", payload: {} }
            })
          ],
          { env }
        )
        await follow.told("task_finished")
        await set("-2h")
        const soon = await queue(place, { available_at: inSeconds(-2 * HOUR, 1) }, { env })
        const began = performance.now()
        await follow.told("task_finished", soon)
        expect(performance.now() - began).toBeLessThan(10_000)
        await set("+2d")
        const jumped = performance.now()
        await follow.told("task_finished", inADay)
        await follow.told("schedule_task_created", undefined, 2)
        await follow.told("task_finished", undefined, 4)
        expect(performance.now() - jumped).toBeLessThan(10_000)
      })
    }),
  60_000
)

test("the service manager's variables do not reach the children of the dispatcher", () =>
  inPlace(scripted("env | grep -c '^NOTIFY_SOCKET=\\|^WATCHDOG_' || echo none"), (place) =>
    beside(place, async (follow, begin) => {
      begin([], {
        env: { NOTIFY_SOCKET: place.path("nobody"), WATCHDOG_USEC: "1000000", WATCHDOG_PID: "1" }
      })
      const id = await queue(place)
      await follow.told("task_finished", id)
      expect((await story(place, id)).task.outcome?.operator_summary).toContain("none")
    })
  ))
