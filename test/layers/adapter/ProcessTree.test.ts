import { expect } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Fiber, Layer, Option, Schedule } from "effect"
import * as Process from "../../../layers/adapter/Process.ts"
import * as ProcessTree from "../../../layers/adapter/ProcessTree.ts"
import { processesFrom, processFacts, processTable } from "../../../layers/adapter/ProcTable.ts"
import * as Subreaper from "../../../layers/adapter/Subreaper.ts"
import {
  child,
  launchOf,
  leftOf,
  livingOf,
  pidsIn,
  processes,
  temporaryFolder
} from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({
      until: (met) => met,
      schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo("5 seconds"))
    })
  )

it.live("without the C library a daemon is on record while it runs, and ended with the attempt", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const pids = join(folder, "pids")
    const up = yield* Deferred.make<void>()
    const { launch, attemptId, stop } = yield* launchOf([
      "-c",
      'env -i setsid sh -c \'echo $$ >> "$1"; exec sleep 300\' d "$PIDS" & sleep 300'
    ])
    const record = join(folder, "processes", `${attemptId}.json`)
    const service = Process.layer.pipe(
      Layer.provide(ProcessTree.layerAt(folder)),
      Layer.provideMerge(Subreaper.layerMissing)
    )
    const fiber = yield* Effect.flatMap(Process.Processes, ({ run }) =>
      run({
        ...launch,
        env: { ...launch.env, PIDS: pids },
        started: () => Effect.asVoid(Deferred.succeed(up, undefined))
      })
    ).pipe(Effect.provide(service), Effect.fork)
    yield* Deferred.await(up)
    yield* until(
      () =>
        existsSync(record) &&
        existsSync(pids) &&
        readFileSync(record, "utf8").includes(`:${pidsIn(pids)[0]},`)
    )
    expect(readFileSync(record, "utf8")).toContain(`:${pidsIn(pids)[0]},`)
    yield* Deferred.succeed(stop, "cancel")
    expect((yield* Fiber.join(fiber)).survivors).toEqual([])
    expect(pidsIn(pids).filter((pid) => processFacts(pid)?.alive)).toEqual([])
    expect(existsSync(record)).toBe(false)
  })
)

it.live("a daemon that is never the same process for long is ended all the same", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    // It goes on as long as the folder is there: a test that fails leaves nothing behind.
    const relay = '[ -d "$FOLDER" ] && sleep 0.01 && setsid sh -c "$RELAY" &'
    yield* Effect.gen(function* () {
      const { run } = yield* Process.Processes
      for (let attempt = 0; attempt < 3; attempt++) {
        const { launch, attemptId } = yield* launchOf(["-c", relay])
        const env = { ...launch.env, RELAY: relay, FOLDER: folder }
        expect((yield* run({ ...launch, env })).survivors).toEqual([])
        const looks = Array.from({ length: 20 }, () => livingOf(attemptId))
        expect(looks.flat()).toEqual([])
      }
    }).pipe(Effect.provide(processes(folder)))
  })
)

it.live("two attempts at once: the end of one leaves the daemons of the other alone", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const pids = join(folder, "pids")
    const quick = yield* launchOf([child("double-fork.sh")], {
      env: { PATH: "/usr/bin:/bin", PIDS: join(folder, "other") }
    })
    const slow = yield* launchOf(["-c", `sh ${child("daemon.sh")}; sleep 300`])
    yield* Effect.gen(function* () {
      const { run } = yield* Process.Processes
      const fiber = yield* Effect.fork(run({ ...slow.launch, env: { ...slow.launch.env, PIDS: pids } }))
      yield* until(() => existsSync(pids) && pidsIn(pids).length === 2)
      yield* run(quick.launch)
      expect(leftOf(quick.attemptId, join(folder, "other"))).toEqual([])
      expect(pidsIn(pids).map((pid) => processFacts(pid)?.alive)).toEqual([true, true])
      yield* Deferred.succeed(slow.stop, "drain")
      yield* Fiber.join(fiber)
      expect(leftOf(slow.attemptId, pids)).toEqual([])
    }).pipe(Effect.provide(processes(folder)))
  })
)

it.live("children that other parts of this process started are neither ended nor taken from Bun", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const others = Array.from({ length: 10 }, (_, n) =>
      Bun.spawn(["sh", "-c", `sleep 0.0${n}; exit ${n}`], { detached: n % 2 === 0 })
    )
    const long = Bun.spawn(["sleep", "300"], { detached: true })
    const { launch } = yield* launchOf([child("daemon.sh")])
    yield* Effect.flatMap(Process.Processes, ({ run }) =>
      run({ ...launch, env: { ...launch.env, PIDS: join(folder, "pids") } })
    ).pipe(Effect.provide(processes(folder)))
    expect(yield* Effect.promise(() => Promise.all(others.map(({ exited }) => exited)))).toEqual([
      ...others.keys()
    ])
    expect(processFacts(long.pid)?.alive).toBe(true)
    long.kill("SIGKILL")
    yield* Effect.promise(() => long.exited)
    expect(long.signalCode).toBe("SIGKILL")
  })
)

it.live("orphans that end while the attempt runs are collected, not piled up as zombies", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const zombies = (attempt: Parameters<typeof leftOf>[0]) =>
      leftOf(attempt).length - livingOf(attempt).length
    const { launch, attemptId, stop } = yield* launchOf([
      "-c",
      "for i in 1 2 3 4 5; do ( sleep 0.05 & ); done; echo up; sleep 300"
    ])
    yield* Effect.gen(function* () {
      const { run } = yield* Process.Processes
      const fiber = yield* Effect.fork(run(launch))
      yield* until(() => zombies(attemptId) > 0)
      yield* until(() => zombies(attemptId) === 0 && livingOf(attemptId).length === 2)
      expect(leftOf(attemptId)).toHaveLength(2)
      yield* Deferred.succeed(stop, "cancel")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(processes(folder)))
  })
)

it.live("the layer adopts orphans while it lives and brands only what is started inside", () =>
  Effect.gen(function* () {
    const limits = () => /Max file locks\s+(\S+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]
    const before = limits()
    const { missing, branding } = yield* Subreaper.Subreaper
    expect(Option.isNone(missing)).toBe(true)
    expect([branding(77n, limits), limits()]).toEqual(["77", before])
    expect(() =>
      branding(77n, () => {
        throw new Error("spawn failed")
      })
    ).toThrow("spawn failed")
    expect(limits()).toBe(before)
  }).pipe(Effect.provide(Subreaper.layer))
)

it.effect("a table from a number on holds what is younger, and this process", () =>
  Effect.gen(function* () {
    const { pid } = yield* Effect.acquireRelease(
      Effect.sync(() => Bun.spawn(["sleep", "60"], { stdin: "ignore", stdout: "ignore" })),
      (sleeper) => Effect.sync(() => sleeper.kill("SIGKILL"))
    )
    // From the sleeper on few numbers are asked for one by one; from this process on, mostly, all are listed.
    expect(processesFrom(pid)).toBeDefined()
    for (const from of [pid, process.pid]) {
      // The numbering may have come round since this process began.
      const young = processesFrom(from)
      if (young === undefined) continue
      expect([young.has(pid), young.has(process.pid)]).toEqual([true, true])
      expect([...young.keys()].filter((one) => one < from && one !== process.pid)).toEqual([])
      // This process has threads, which bear numbers of their own and are no processes.
      const all = processTable()
      const threads = readdirSync("/proc/self/task").map(Number)
      expect(threads.filter((one) => young.has(one) || all.has(one))).toEqual([process.pid])
    }
    expect(processesFrom(2 ** 22)).toBeUndefined()
  })
)
