import { expect, setDefaultTimeout, test } from "bun:test"
import { isAbsolute } from "node:path"
import type { Place } from "../support/binary.ts"
import { inPlace, outcomeOf, queue, runOnce, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

/** A script that keeps its environment, arguments, folder and stdin where a test can read them. */
const keeps =
  'env -0 > kept.env; printf "%s\\n" "$@" > kept.args; pwd > kept.pwd; cat > kept.stdin; echo done'

const kept = async (place: Place) => {
  const pairs = (await Bun.file(place.path("kept.env")).text()).split("\0").filter((line) => line !== "")
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])
  )
}

test("a script is told by absolute paths who it works for, what, and where its evidence lies", () =>
  inPlace(scripted(keeps, { env: { OWN: "its own" } }), async (place) => {
    const payload = { text: "Grüße, 🙂", args: ["a b", "$HOME", ""] }
    const config = { AGENT_RUNTIME_CONFIG: "runtime.json" }
    const id = await queue(place, { payload }, { env: config })
    await runOnce(place, { env: { ...config, STRAY: "from the operator's shell" } })
    const { attempts, task } = await story(place, id)
    expect(task.status).toBe("completed")
    const attempt = attempts[0]!
    const audit = place.path("state/artifacts/adapter-runs", id, attempt.attempt_id)
    const env = await kept(place)
    expect(env).toMatchObject({
      AGENT_RUNTIME_NAME: "test-runtime",
      AGENT_RUNTIME_TASK_ID: id,
      AGENT_RUNTIME_ATTEMPT_ID: attempt.attempt_id,
      AGENT_RUNTIME_ARTIFACT_DIR: place.path("state/artifacts"),
      AGENT_RUNTIME_STATE_DIR: place.path("state"),
      AGENT_RUNTIME_AUDIT_DIR: audit,
      AGENT_RUNTIME_PAYLOAD_PATH: `${audit}/payload.json`,
      OWN: "its own",
      HOME: place.folder
    })
    expect(isAbsolute(env.AGENT_RUNTIME_BUNDLE_PATH ?? "")).toBe(true)
    expect(await Bun.file(env.AGENT_RUNTIME_BUNDLE_PATH ?? "").json()).toMatchObject({
      bundle_id: attempt.bundle_id
    })
    expect(JSON.parse(env.AGENT_RUNTIME_TASK_PAYLOAD_JSON ?? "")).toEqual(payload)
    expect(await Bun.file(`${audit}/payload.json`).json()).toEqual(payload)
    expect(await Bun.file(place.path("kept.stdin")).json()).toEqual(payload)
    expect(await Bun.file(place.path("kept.args")).text()).toBe("a b\n$HOME\n\n")
    expect((await Bun.file(place.path("kept.pwd")).text()).trim()).toBe(place.folder)
    expect(env).not.toContainKey("STRAY")
  }))

test("a payload beyond 64 KiB comes by file and stdin, not by the environment", () =>
  inPlace(scripted(keeps), async (place) => {
    const payload = { text: "x".repeat(70 * 1024) }
    const { task } = await outcomeOf(place, { payload })
    expect(task.status).toBe("completed")
    const env = await kept(place)
    expect(env).not.toContainKey("AGENT_RUNTIME_TASK_PAYLOAD_JSON")
    expect(await Bun.file(env.AGENT_RUNTIME_PAYLOAD_PATH ?? "").json()).toEqual(payload)
    expect(await Bun.file(place.path("kept.stdin")).json()).toEqual(payload)
  }))

test("extraArgs come first; arguments of an untrusted payload are left out and that is noted", () =>
  inPlace(scripted(keeps, { extraArgs: ["--mode", "fast"] }), async (place) => {
    await queue(place, { payload: { args: ["more"] } })
    await runOnce(place)
    expect(await Bun.file(place.path("kept.args")).text()).toBe("--mode\nfast\nmore\n")
    const event = { event: "mention", channel: "c", author: "a", message: "m", args: ["--evil"] }
    await place.json(["bridge-discord", "--file", "-"], { stdin: JSON.stringify(event) })
    expect((await runOnce(place)).status).toBe("completed")
    expect(await Bun.file(place.path("kept.args")).text()).toBe("--mode\nfast\n")
  }))

test("an exit code, a signal and an end by timeout are told as what they are", () =>
  inPlace(
    {
      config: {
        retryBackoffSeconds: 3_600,
        adapters: {
          local: { mode: "script", command: "./run.sh", timeoutMs: 30_000 },
          hasty: { mode: "script", command: "./run.sh", timeoutMs: 1_000 }
        }
      },
      files: { "run.sh": '#!/bin/sh\necho "trouble on stderr" >&2; eval "$1"\n' }
    },
    async (place) => {
      const ends = [
        { adapter: "local", args: ["exit 7"], exit: "error", reason: "exit code 7: trouble on stderr" },
        { adapter: "local", args: ["kill -TERM $$"], exit: "error", reason: "killed by SIGTERM" },
        { adapter: "hasty", args: ["sleep 60"], exit: "timeout", reason: "timed out after 1000 ms" }
      ]
      for (const { adapter, args, exit, reason } of ends) {
        const { attempt, task } = await outcomeOf(place, { requested_adapter: adapter, payload: { args } })
        expect(task).toMatchObject({ status: "retryable_failure", attempt_count: 1 })
        expect(task.last_error).toContain(reason)
        expect(attempt).toMatchObject({ exit_status: exit, retry_class: "retryable", status: "finished" })
      }
    }
  ))

test("a command that cannot be started ends the task for good, with the remedy", () =>
  inPlace(
    { config: { adapters: { local: { mode: "script", command: "no-such-program" } } } },
    async (place) => {
      const { attempt, task } = await outcomeOf(place)
      expect(task).toMatchObject({ status: "permanent_failure", attempt_count: 1 })
      expect(task.last_error).toContain("no-such-program")
      expect(attempt).toMatchObject({ exit_status: "error", retry_class: "permanent" })
    }
  ))

test("a task whose adapter or profile is not configured ends without a run, naming it", () =>
  inPlace({}, async (place) => {
    const lost = await queue(place, { requested_adapter: "lokal" })
    const nobody = await queue(place, { requested_profile: "nobody" })
    expect(await runOnce(place)).toMatchObject({ status: "permanent_failure", task_id: lost })
    expect(await runOnce(place)).toMatchObject({ status: "blocked", task_id: nobody })
    expect((await story(place, lost)).task.last_error).toContain("lokal")
    expect((await story(place, nobody)).task.last_error).toContain("nobody")
  }))

test("what a script leaves running is gone when its attempt ends, and does not delay it", () =>
  inPlace(
    scripted(
      [
        "setsid sleep 600 & echo $! > pids",
        "env -i sleep 600 & echo $! >> pids",
        "sleep 600 > /dev/null 2>&1 & echo $! >> pids",
        "echo done"
      ].join("\n")
    ),
    async (place) => {
      const { task } = await outcomeOf(place)
      expect(task).toMatchObject({ status: "completed", outcome: { operator_summary: "done" } })
      const pids = (await Bun.file(place.path("pids")).text()).trim().split("\n")
      expect(pids).toHaveLength(3)
      for (const pid of pids) {
        const line = Bun.file(`/proc/${pid}/cmdline`)
        expect((await line.exists()) ? await line.text() : "").toBe("")
      }
      const took = Date.parse(task.finished_at ?? "") - Date.parse(task.started_at ?? "")
      expect(took).toBeLessThan(30_000)
    }
  ))

test("output beyond 64 MiB is cut with a mark, and the outcome at its end still counts", () =>
  inPlace(
    scripted(
      `head -c 80000000 /dev/zero | tr '\\0' x; echo; echo '{"status":"completed","operator_summary":"At the end.","machine_status":"ok"}'`
    ),
    async (place) => {
      const { attempt, task } = await outcomeOf(place)
      expect(task.outcome?.operator_summary).toBe("At the end.")
      const log = Bun.file(place.path("state/artifacts", attempt.stdout_path ?? "?"))
      expect(log.size).toBeLessThan(64 * 1024 * 1024 + 1_000)
      expect(await log.slice(-200).text()).toContain("is cut off here")
    }
  ))

// The child asks the kernel for its parent's peak: what wait4 tells of a process begins with the memory of
// whoever spawned it, which here is the test runner.
test("a gibibyte of output passes through less than 200 MiB of memory", () =>
  inPlace(
    scripted(
      'head -c 1073741824 /dev/zero; grep VmHWM "/proc/$PPID/status" > "$AGENT_RUNTIME_STATE_DIR/peak"'
    ),
    async (place) => {
      await queue(place)
      expect(await runOnce(place)).toMatchObject({ ok: true })
      const told = await Bun.file(place.path("state/peak")).text()
      const mebibytes = Number(/(\d+) kB/.exec(told)?.[1]) / 1024
      expect(mebibytes).toBeGreaterThan(20)
      expect(mebibytes).toBeLessThan(200)
    }
  ))
