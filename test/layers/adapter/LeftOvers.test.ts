import { expect } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Schedule } from "effect"
import * as EscapeRecord from "../../../layers/adapter/EscapeRecord.ts"
import { sweepLeftovers } from "../../../layers/adapter/LeftOvers.ts"
import { processFacts } from "../../../layers/adapter/ProcTable.ts"
import {
  child,
  livingOf,
  newAttempt,
  pidsIn,
  shortLadder,
  temporaryFolder
} from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const alive = (pid: number): boolean => processFacts(pid)?.alive ?? false

const until = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({
      until: (met) => met,
      schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo("5 seconds"))
    })
  )

/** A plain process of the test's own, in its own group, ended with the scope. */
const bystander = (command: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => Bun.spawn([...command], { env: { PATH: "/usr/bin:/bin", ...env }, detached: true })),
    (started) =>
      Effect.promise(() => {
        started.kill("SIGKILL")
        return started.exited
      })
  )

const startOf = (pid: number) => Option.fromNullable(processFacts(pid)?.startTime)

const killedDispatcher = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const attemptId = newAttempt()
  const pids = join(folder, "pids")
  const dispatcher = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Bun.spawn([process.execPath, child("dispatcher.ts"), folder, attemptId, pids], { stdout: "pipe" })
    ),
    (started) =>
      Effect.promise(() => {
        started.kill("SIGKILL")
        return started.exited
      })
  )
  const text = yield* Effect.promise(async () => {
    let said = ""
    for await (const chunk of dispatcher.stdout) {
      said += Buffer.from(chunk)
      if (said.includes("up\n") && said.includes("}\n")) break
    }
    return said
  })
  const root: { pid: number; startTime: string } = JSON.parse(
    text.split("\n").find((line) => line.startsWith("{")) ?? ""
  )
  dispatcher.kill("SIGKILL")
  yield* Effect.promise(() => dispatcher.exited)
  return { folder, attemptId, pids, root }
})

it.live("a killed dispatcher takes its direct child along, and the sweep ends the daemons", () =>
  Effect.gen(function* () {
    const { folder, attemptId, pids, root } = yield* killedDispatcher
    yield* until(() => !alive(root.pid))
    expect(alive(root.pid)).toBe(false)
    expect(pidsIn(pids).map(alive)).toEqual([true, true])
    const sweep = sweepLeftovers(folder, shortLadder)
    const abandoned = { attemptId, pid: Option.some(root.pid), startTime: Option.some(root.startTime) }
    expect(yield* sweep(abandoned)).toEqual([])
    expect(pidsIn(pids).map(alive)).toEqual([false, false])
    // Zombies are collected by pid 1 when it gets to it: they do nothing any more.
    expect(livingOf(attemptId)).toEqual([])
    expect(yield* sweep(abandoned)).toEqual([])
  })
)

it.live("a sweep without a pid finds the marked ones", () =>
  Effect.gen(function* () {
    const attemptId = newAttempt()
    const marked = yield* bystander(["sleep", "300"], { AGENT_RUNTIME_ATTEMPT_ID: attemptId })
    const sweep = sweepLeftovers(yield* temporaryFolder, shortLadder)
    expect(yield* sweep({ attemptId, pid: Option.none(), startTime: Option.none() })).toEqual([])
    yield* Effect.promise(() => marked.exited)
    expect(marked.signalCode).toBe("SIGTERM")
  })
)

it.live("the whole group of the recorded child is ended, whatever it ignores", () =>
  Effect.gen(function* () {
    const pids = join(yield* temporaryFolder, "pids")
    const { pid } = yield* bystander(["sh", child("ignores-term.sh")], { PIDS: pids })
    yield* until(() => existsSync(pids) && pidsIn(pids).length === 2)
    const sweep = sweepLeftovers(yield* temporaryFolder, shortLadder)
    expect(yield* sweep({ attemptId: newAttempt(), pid: Option.some(pid), startTime: startOf(pid) })).toEqual(
      []
    )
    expect(pidsIn(pids).map(alive)).toEqual([false, false])
  })
)

it.live("a process that was given the pid meanwhile is left alone", () =>
  Effect.gen(function* () {
    const { pid } = yield* bystander(["sleep", "300"])
    const [ticks = "", boot = ""] = Option.getOrElse(startOf(pid), () => "").split("@")
    const sweep = sweepLeftovers(yield* temporaryFolder, shortLadder)
    for (const startTime of [`${Number(ticks) - 1}@${boot}`, `${ticks}@another`, ""]) {
      const abandoned = { attemptId: newAttempt(), pid: Option.some(pid), startTime: Option.some(startTime) }
      expect(yield* sweep(abandoned)).toEqual([])
    }
    expect(alive(pid)).toBe(true)
  })
)

it.live("recorded escapes are ended, and only those whose start time is the recorded one", () =>
  Effect.gen(function* () {
    const stateDir = yield* temporaryFolder
    const attemptId = newAttempt()
    const escaped = yield* bystander(["sleep", "300"])
    const stranger = yield* bystander(["sleep", "300"])
    const start = Option.getOrElse(startOf(escaped.pid), () => "")
    const problem = EscapeRecord.keep(
      stateDir,
      attemptId,
      new Map([
        [escaped.pid, start],
        [stranger.pid, `1@${start.split("@")[1]}`]
      ])
    )
    expect(problem).toBeUndefined()
    const sweep = sweepLeftovers(stateDir, shortLadder)
    expect(yield* sweep({ attemptId, pid: Option.none(), startTime: Option.none() })).toEqual([])
    expect([escaped.pid, stranger.pid].map(alive)).toEqual([false, true])
    expect(existsSync(join(stateDir, "processes", `${attemptId}.json`))).toBe(false)
  })
)

it.live("what outlives the ladder is named by pid and command", () =>
  Effect.gen(function* () {
    const attemptId = newAttempt()
    const folder = yield* temporaryFolder
    const marked = yield* bystander(["sh", child("ignores-term.sh")], {
      AGENT_RUNTIME_ATTEMPT_ID: attemptId,
      PIDS: join(folder, "pids")
    })
    yield* Effect.promise(() => marked.stdout.getReader().read())
    const abandoned = { attemptId, pid: Option.none(), startTime: Option.none() }
    const left = yield* sweepLeftovers(folder, [{ signal: "SIGTERM", wait: "50 millis" }])(abandoned)
    expect(left).toContain(`${marked.pid} (sh)`)
    expect(yield* sweepLeftovers(folder, shortLadder)(abandoned)).toEqual([])
  })
)
