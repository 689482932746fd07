import { expect } from "bun:test"
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Fiber, Option } from "effect"
import { MARKER } from "../../../layers/adapter/Brand.ts"
import type { Ladder } from "../../../layers/adapter/Ladder.ts"
import { type Launch, Processes, type Sink } from "../../../layers/adapter/Process.ts"
import { processFacts } from "../../../layers/adapter/ProcTable.ts"
import { isLong } from "../../support/breadth.ts"
import {
  child,
  launchOf,
  leftOf,
  pidsIn,
  processes,
  shortLadder,
  temporaryFolder
} from "../../support/children/support.ts"
import { it, settable } from "../../support/effect.ts"

/** Runs a nasty child with a fresh PIDS file; answers what it did and where the pids are. */
const runNasty = (name: string, changes: Partial<Launch> = {}) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const pids = join(folder, "pids")
    const given = yield* launchOf([child(name)], changes)
    const launch = { ...given.launch, env: { ...given.launch.env, PIDS: pids } }
    const started = performance.now()
    const ended = yield* Effect.flatMap(Processes, ({ run }) => run(launch)).pipe(
      Effect.provide(processes(folder))
    )
    return { ...given, ended, pids, folder, took: performance.now() - started }
  })

const run = (launch: Launch) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    return yield* Effect.flatMap(Processes, (service) => service.run(launch)).pipe(
      Effect.provide(processes(folder))
    )
  })

it.live("an exit code is answered as it is", () =>
  Effect.gen(function* () {
    const { launch, out, err, attemptId } = yield* launchOf(["-c", "echo out; echo err >&2; exit 7"])
    const ended = yield* run(launch)
    expect(ended).toEqual({ ending: { _tag: "Exited", code: 7 }, survivors: [], drained: true })
    expect([out.text(), err.text()]).toEqual(["out\n", "err\n"])
    expect(leftOf(attemptId)).toEqual([])
  })
)

it.live("a child may open its outputs by name, as scripts do", () =>
  Effect.gen(function* () {
    const { launch, out, err } = yield* launchOf(["-c", "echo out > /dev/stdout; echo err > /dev/stderr"])
    expect((yield* run(launch)).ending).toEqual({ _tag: "Exited", code: 0 })
    expect([out.text(), err.text()]).toEqual(["out\n", "err\n"])
  })
)

const pipesOpen = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("pipe:")
    } catch {
      return false
    }
  }).length

it.live("no pipe stays open, whether the child ends, is stopped or does not start", () =>
  Effect.gen(function* () {
    const before = pipesOpen()
    for (let round = 0; round < 5; round++) {
      yield* run((yield* launchOf(["-c", "echo out"])).launch)
      yield* run((yield* launchOf(["-c", "sleep 60"], { timeoutMs: 50 })).launch)
      const { launch } = yield* launchOf(["-c", "true"])
      yield* Effect.either(run({ ...launch, args: ["x".repeat(4_000_000)] }))
    }
    expect(pipesOpen()).toBe(before)
  })
)

it.live("a death by signal is told from an exit", () =>
  Effect.gen(function* () {
    const { launch } = yield* launchOf(["-c", "kill -SEGV $$"])
    expect((yield* run(launch)).ending).toEqual({ _tag: "Killed", signal: "SIGSEGV" })
  })
)

it.live("a child that ignores SIGTERM is killed, its child too", () =>
  Effect.gen(function* () {
    const { ended, attemptId, pids } = yield* runNasty("ignores-term.sh", { timeoutMs: 200 })
    expect(ended).toEqual({ ending: { _tag: "TimedOut", afterMs: 200 }, survivors: [], drained: true })
    expect(pidsIn(pids)).toHaveLength(2)
    expect(leftOf(attemptId, pids)).toEqual([])
  })
)

it.live("what a child that ended by itself left behind is not asked to wind up", () =>
  Effect.gen(function* () {
    const { launch, attemptId } = yield* launchOf(["-c", "trap '' INT; sleep 300 & exit 0"], {
      ladder: [{ signal: "SIGINT", wait: "1 hour" }, ...shortLadder]
    })
    expect((yield* run(launch)).ending).toEqual({ _tag: "Exited", code: 0 })
    expect(leftOf(attemptId)).toEqual([])
  })
)

it.live("a daemon with a cleared environment and a session of its own is found and ended", () =>
  Effect.gen(function* () {
    const { ended, attemptId, pids, folder } = yield* runNasty("daemon.sh")
    expect(ended).toEqual({ ending: { _tag: "Exited", code: 0 }, survivors: [], drained: true })
    expect(pidsIn(pids)).toHaveLength(2)
    expect(leftOf(attemptId, pids)).toEqual([])
    expect(existsSync(join(folder, "processes", `${attemptId}.json`))).toBe(false)
  })
)

it.live("an orphan of a double fork is ended", () =>
  Effect.gen(function* () {
    const { ended, attemptId, pids } = yield* runNasty("double-fork.sh")
    expect(ended.ending).toEqual({ _tag: "Exited", code: 0 })
    expect(pidsIn(pids)).toHaveLength(1)
    expect(leftOf(attemptId, pids)).toEqual([])
  })
)

it.live("a descendant that holds stdout open does not delay the end beyond its own killing", () =>
  Effect.gen(function* () {
    const { ended, out, attemptId, pids, took } = yield* runNasty("holds-stdout.sh")
    expect(ended).toEqual({ ending: { _tag: "Exited", code: 0 }, survivors: [], drained: true })
    expect(out.text()).toBe("parent is done\n")
    expect(took).toBeLessThan(2000)
    expect(leftOf(attemptId, pids)).toEqual([])
  })
)

it.live("children that fork while they are being killed do not get away", () =>
  Effect.gen(function* () {
    const { ended, attemptId } = yield* runNasty("forks.sh", { timeoutMs: 300 })
    expect(ended.survivors).toEqual([])
    expect(leftOf(attemptId)).toEqual([])
  })
)

it.live("every byte value arrives", () =>
  Effect.gen(function* () {
    const { out } = yield* runNasty("every-byte.sh")
    expect([...out.bytes()]).toEqual(Array.from({ length: 256 }, (_, byte) => byte))
  })
)

// What it costs in memory is measured where nothing else is in the process: on the binary, in test/e2e.
it.live("a gibibyte of output passes through whole to a sink that takes its time", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const file = openSync(join(folder, "out"), "w")
    let bytes = 0
    const sink: Sink = {
      write: (chunk) => {
        // Part of it goes to the disk, as in a log: the child must wait for it, not pile up here.
        if (bytes < 64 << 20) writeSync(file, chunk)
        bytes += chunk.length
      },
      end: () => closeSync(file)
    }
    const { launch } = yield* launchOf(["-c", "head -c 1073741824 /dev/zero"], { stdout: sink })
    yield* run(launch)
    expect(bytes).toBe(1 << 30)
  })
)

const payload = Buffer.alloc(5 << 20, "x")

it.live("five megabytes of stdin arrive whole", () =>
  Effect.gen(function* () {
    const { launch, out } = yield* launchOf(["-c", "wc -c"], { stdin: payload })
    yield* run(launch)
    expect(out.text().trim()).toBe(String(5 << 20))
  })
)

it.live("a child that closes stdin early, or reads a little of it, harms nobody", () =>
  Effect.gen(function* () {
    const { launch, out } = yield* launchOf(["-c", "head -c 3; exec 0<&-; echo closed"], { stdin: payload })
    expect((yield* run(launch)).ending).toEqual({ _tag: "Exited", code: 0 })
    expect(out.text()).toBe("xxxclosed\n")
  })
)

it.live("a child that never reads stdin ends as it would otherwise", () =>
  Effect.gen(function* () {
    const { launch } = yield* launchOf(["-c", "exit 3"], { stdin: payload })
    expect((yield* run(launch)).ending).toEqual({ _tag: "Exited", code: 3 })
  })
)

it.live("silence longer than noOutputTimeoutMs ends the attempt; output puts it off", () =>
  Effect.gen(function* () {
    const quiet = yield* launchOf(["-c", "echo one; sleep 60"], { noOutputTimeoutMs: Option.some(150) })
    expect((yield* run(quiet.launch)).ending).toEqual({ _tag: "Silent", forMs: 150 })
    expect(leftOf(quiet.attemptId)).toEqual([])
    const talks = yield* launchOf(["-c", "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep 0.1; done"], {
      noOutputTimeoutMs: Option.some(600)
    })
    expect((yield* run(talks.launch)).ending).toEqual({ _tag: "Exited", code: 0 })
  })
)

const HOUR_MS = 3_600_000

it.live("a host's clock that is set makes no lively child silent, and no silent one lively", () =>
  Effect.gen(function* () {
    const script = "for i in 1 2 3; do echo $i; sleep 0.1; done"
    const lively = yield* launchOf(["-c", script], { noOutputTimeoutMs: Option.some(600) })
    const silent = yield* launchOf(["-c", "echo one; sleep 60"], { noOutputTimeoutMs: Option.some(150) })
    for (const [{ launch }, byMs, ending] of [
      [lively, HOUR_MS, { _tag: "Exited", code: 0 }],
      [silent, -HOUR_MS, { _tag: "Silent", forMs: 150 }]
    ] as const) {
      const ended = yield* settable((set) => {
        const write = (chunk: Uint8Array) => {
          launch.stdout.write(chunk)
          set(byMs)
        }
        return run({ ...launch, stdout: { ...launch.stdout, write } })
      })
      expect(ended.ending).toEqual(ending)
    }
  })
)

it.live("a host's clock that is set while a tree is ended neither hurries it nor has it live on", () =>
  Effect.gen(function* () {
    const winds =
      "trap 'echo told; sleep 0.2; echo wound up; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    const ignores = "trap 'echo told' TERM; echo up; while :; do sleep 0.02; done"
    const ladder: Ladder = [
      { signal: "SIGTERM", wait: "1 second" },
      { signal: "SIGKILL", wait: "5 seconds" }
    ]
    for (const [script, byMs, said] of [
      [winds, HOUR_MS, "up\ntold\nwound up\n"],
      [ignores, -HOUR_MS, "up\ntold\n"]
    ] as const) {
      const { attemptId, launch, out } = yield* launchOf(["-c", script], { timeoutMs: 150, ladder })
      const ended = yield* settable((set) => {
        const write = (chunk: Uint8Array) => {
          launch.stdout.write(chunk)
          if (out.text().endsWith("told\n")) set(byMs)
        }
        return run({ ...launch, stdout: { ...launch.stdout, write } })
      })
      expect(ended.ending).toEqual({ _tag: "TimedOut", afterMs: 150 })
      expect(out.text()).toBe(said)
      expect(leftOf(attemptId)).toEqual([])
    }
  })
)

it.live("a stop ends the tree and names its reason", () =>
  Effect.gen(function* () {
    const { launch, stop, attemptId } = yield* launchOf(["-c", "sleep 300 & sleep 300"])
    const started = () => Deferred.succeed(stop, "cancel" as const)
    const ended = yield* run({ ...launch, started: () => Effect.asVoid(started()) })
    expect(ended.ending).toEqual({ _tag: "Stopped", reason: "cancel" })
    expect(leftOf(attemptId)).toEqual([])
  })
)

it.live("an interrupted fiber leaves nothing behind, not even what ignores SIGTERM", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const running = yield* Deferred.make<number>()
    const { launch, attemptId } = yield* launchOf(["-c", "trap '' TERM; sleep 300 & wait; sleep 300"], {
      started: ({ pid }) => Effect.asVoid(Deferred.succeed(running, pid))
    })
    const fiber = yield* Effect.flatMap(Processes, (service) => service.run(launch)).pipe(
      Effect.provide(processes(folder)),
      Effect.fork
    )
    const pid = yield* Deferred.await(running)
    expect(processFacts(pid)).toBeDefined()
    yield* Fiber.interrupt(fiber)
    expect(leftOf(attemptId)).toEqual([])
  })
)

it.live("the child leads a group of its own and is known by pid and start time", () =>
  Effect.gen(function* () {
    const seen = yield* Deferred.make<{ pid: number; startTime: string; group: number; now: string }>()
    const { launch, out } = yield* launchOf(
      ["-c", "echo $$; cat /proc/$$/stat | cut -d' ' -f5,6; sleep 0.3"],
      {
        started: ({ pid, startTime }) => {
          const facts = processFacts(pid)
          return Effect.asVoid(
            Deferred.succeed(seen, { pid, startTime, group: facts?.group ?? 0, now: facts?.startTime ?? "" })
          )
        }
      }
    )
    yield* run(launch)
    const { pid, startTime, now } = yield* Deferred.await(seen)
    expect(out.text()).toBe(`${pid}\n${pid} ${pid}\n`)
    expect(startTime).toBe(now)
  })
)

it.live("the child gets the environment that it is given and nothing else", () =>
  Effect.gen(function* () {
    const { launch, out, attemptId } = yield* launchOf([])
    yield* run({ ...launch, file: "/usr/bin/env" })
    expect(out.text().trim().split("\n").sort()).toEqual([
      `${MARKER}=${attemptId}`,
      "PATH=/usr/local/bin:/usr/bin:/bin"
    ])
  })
)

const AT_ONCE = isLong ? 100 : 40

it.live("many children at once all end, and leave nothing", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const launches = yield* Effect.forEach(
      Array.from({ length: AT_ONCE }, (_, n) => n),
      (n) => launchOf(["-c", `sleep 300 & echo ${n}; exit ${n}`])
    )
    const ends = yield* Effect.gen(function* () {
      const service = yield* Processes
      return yield* Effect.forEach(launches, ({ launch }) => service.run(launch), {
        concurrency: "unbounded"
      })
    }).pipe(Effect.provide(processes(folder)))
    expect(ends.map(({ ending }) => ending)).toEqual(launches.map((_, code) => ({ _tag: "Exited", code })))
    expect(launches.map(({ out }) => out.text())).toEqual(launches.map((_, n) => `${n}\n`))
    expect(launches.flatMap(({ attemptId }) => leftOf(attemptId))).toEqual([])
  })
)

it.live("a program that the kernel refuses is told as one that cannot start", () =>
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, "script")
    writeFileSync(file, "#!/nowhere/interpreter\n", { mode: 0o755 })
    const { launch } = yield* launchOf([], { file })
    const failure = yield* Effect.flip(run(launch))
    expect(failure.reason).toStartWith(`${file} cannot be started (`)
  })
)

it.live("a file that is executable and no format of the kernel's is a script of the shell", () =>
  Effect.gen(function* () {
    const file = join(yield* temporaryFolder, "script")
    writeFileSync(file, "echo $1; exit 3\n", { mode: 0o755 })
    const { launch, out } = yield* launchOf(["hi"], { file })
    expect((yield* run(launch)).ending).toEqual({ _tag: "Exited", code: 3 })
    expect(out.text()).toBe("hi\n")
  })
)

it.live("arguments that are too long, a NUL and a missing folder are told before anything runs", () =>
  Effect.gen(function* () {
    const reasons = yield* Effect.forEach(
      [
        { args: ["-c", "true", "x".repeat(3 << 20)] },
        { args: ["-c", "a\0b"] },
        { cwd: "/nowhere" },
        { env: { "A=B": "c" } }
      ],
      (changes) =>
        Effect.flatMap(launchOf(["-c", "true"], changes), ({ launch }) => Effect.flip(run(launch))).pipe(
          Effect.map(({ reason }) => reason)
        )
    )
    expect(reasons[0]).toMatch(/arguments and environment \(\d+ bytes\) are longer/)
    expect(reasons[1]).toBe("argument 2 holds a NUL character, which no argument can")
    expect(reasons[2]).toBe("working directory /nowhere is not there")
    expect(reasons[3]).toContain('environment variable "A=B"')
  })
)
