import { expect } from "bun:test"
import { Effect, Option } from "effect"
import type { BundleRecord } from "../../../src/domain/Bundle.ts"
import { BundleId, RunnerId } from "../../../src/domain/Ids.ts"
import { unknownUsage } from "../../../src/domain/Usage.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  complete,
  ended,
  newest,
  runner,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const bundle = (attempt: string): BundleRecord => ({
  bundleId: BundleId.make(`bundle of ${attempt}`),
  taskId: "a",
  attemptId: attempt,
  bundleHash: "hash",
  bundleVersion: 1,
  profileId: "lumen",
  adapterId: "local",
  adapterMode: "script",
  model: Option.none(),
  replayGrade: "inputs_frozen",
  relativePath: "bundles/b.json",
  promptRelativePath: "bundles/b.prompt.txt"
})
const paths = { promptPath: "p", stdoutPath: "o", stderrPath: "e", resultPath: "r" }
const other = RunnerId.make("host:2:later")

export const attempts = (check: Sentence) => {
  check(
    "answers the last attempt of each of many tasks at once, whichever runs",
    Effect.gen(function* () {
      const store = yield* Store
      for (const task of ["a", "b", "c"]) yield* add(task)
      yield* claimed("a1")
      yield* settle("a1", { _tag: "PutBack", counted: true, error: "swept" }, 1)
      yield* claimed("a2", 2)
      yield* claimed("b1", 3)
      const found = yield* store.attempts.lastOfTasks(["a", "b", "c", "nobody"].map(taskId))
      expect(
        [...found].map(([id, { attemptId: last, number }]) => [String(id), String(last), number])
      ).toEqual([
        ["a", "a2", 2],
        ["b", "b1", 1]
      ])
    })
  )

  check(
    "lists them by when they were begun, whatever their ids are",
    Effect.gen(function* () {
      const store = yield* Store
      // Ids that an adopted database brought carry no time.
      for (const [second, attempt] of [
        [1, "f1"],
        [2, "07"],
        [3, "c3"]
      ] as const) {
        yield* add(`of ${attempt}`, {}, second)
        yield* claimed(attempt, second)
      }
      const begun = (from: number, until: number, limit = 9) =>
        Effect.map(store.attempts.begun(at(from), Option.some(at(until)), limit), (found) =>
          found.map(({ attempt }) => attempt.attemptId as string)
        )
      expect(yield* begun(1, 9)).toEqual(["c3", "07", "f1"])
      expect(yield* begun(2, 3)).toEqual(["07"])
      expect(yield* begun(0, 9, 1)).toEqual(["c3"])
    })
  )

  check(
    "tells what a session had cost by the end of its last attempt",
    Effect.gen(function* () {
      const store = yield* Store
      const costs = Effect.forEach(["s", "other"], (id) => store.attempts.sessionCost(id))
      expect(yield* costs).toEqual([Option.none(), Option.none()])
      for (const [attempt, second, session] of [
        ["a1", 1, { id: "s", costUsd: 1.5 }],
        ["a2", 2, { id: "other", costUsd: 9 }],
        ["a3", 3, { id: "s", costUsd: 0.5 }],
        ["a4", 4, undefined]
      ] as const) {
        yield* add(`of ${attempt}`, {}, second)
        yield* claimed(attempt, second)
        const end = session === undefined ? ended() : { ...ended(), session }
        yield* settle(attempt, complete, second, end)
      }
      expect(yield* costs).toEqual([Option.some(0.5), Option.some(9)])
    })
  )

  check(
    "records the bundle of a running attempt, and what runs it",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* claimed("a1")
      expect(yield* store.attempts.compiled(bundle("a1"), paths, stampAt(1))).toBe(true)
      expect(Option.getOrThrow(yield* store.attempts.find(attemptId("a1")))).toMatchObject({
        profileId: Option.some("lumen"),
        adapterId: Option.some("local"),
        adapterMode: Option.some("script"),
        model: Option.none(),
        bundleId: Option.some(BundleId.make("bundle of a1")),
        bundleHash: Option.some("hash"),
        replayGrade: Option.some("inputs_frozen"),
        promptPath: Option.some("p"),
        stdoutPath: Option.some("o"),
        stderrPath: Option.some("e"),
        resultPath: Option.some("r")
      })
      expect(yield* store.attempts.bundle(BundleId.make("bundle of a1"))).toEqual(Option.some(bundle("a1")))
      expect(yield* store.attempts.bundle(BundleId.make("none"))).toEqual(Option.none())
      const [event] = yield* newest(1)
      expect(event).toMatchObject({
        eventType: "bundle_compiled",
        attemptId: Option.some(attemptId("a1")),
        detail: { bundle_id: "bundle of a1", bundle_hash: "hash", replay_grade: "inputs_frozen" }
      })
    })
  )

  check(
    "names no file of an attempt that its end says is absent, and the others as before",
    Effect.gen(function* () {
      const store = yield* Store
      const cases = [
        [[], { stdoutPath: "o", stderrPath: "e", resultPath: "r" }],
        [["result.json"], { stdoutPath: "o", stderrPath: "e", resultPath: null }],
        [["stdout.log", "stderr.log"], { stdoutPath: null, stderrPath: null, resultPath: "r" }]
      ] as const
      for (const [number, [absent, left]] of cases.entries()) {
        const attempt = `a${number}`
        yield* add(`task ${number}`, {}, number)
        yield* claimed(attempt, number)
        yield* store.attempts.compiled({ ...bundle(attempt), taskId: `task ${number}` }, paths, stampAt(1))
        yield* settle(attempt, complete, number, { ...ended(), absent })
        const found = Option.getOrThrow(yield* store.attempts.find(attemptId(attempt)))
        expect(Option.getOrNull(found.promptPath)).toBe("p")
        for (const [name, path] of Object.entries(left))
          expect(Option.getOrNull(found[name as keyof typeof left])).toBe(path)
      }
    })
  )

  check(
    "records nothing of an attempt that runs no more",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* claimed("a1")
      expect(
        yield* store.attempts.started(attemptId("a1"), { adapterId: "local", profileId: "lumen" }, stampAt(1))
      ).toBe(true)
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "task_started",
        detail: { adapter_id: "local", profile_id: "lumen" }
      })
      yield* settle("a1", complete, 2)
      const before = (yield* newest(100)).length
      expect(yield* store.attempts.compiled(bundle("a1"), paths, stampAt(3))).toBe(false)
      expect(
        yield* store.attempts.started(attemptId("a1"), { adapterId: "local", profileId: "lumen" }, stampAt(3))
      ).toBe(false)
      yield* store.attempts.childStarted(attemptId("a1"), { pid: 7, startTime: "7" })
      expect(yield* store.attempts.bundle(BundleId.make("bundle of a1"))).toEqual(Option.none())
      expect((yield* newest(100)).length).toBe(before)
    })
  )

  check(
    "tells the open attempts of other runners, with their lock and their child",
    Effect.gen(function* () {
      const store = yield* Store
      const record = { host: "host", processMark: Option.none(), mode: "dispatch" as const, limits: {} }
      yield* store.runners.begin({ ...record, runnerId: runner, pid: 1, lockPath: "/lock" }, stampAt(0))
      yield* add("a")
      yield* claimed("a1")
      yield* store.attempts.childStarted(attemptId("a1"), { pid: 42, startTime: "123456" })
      const open = {
        attemptId: attemptId("a1"),
        taskId: taskId("a"),
        runnerId: runner,
        host: "host",
        lockPath: Option.some("/lock"),
        childPid: Option.some(42),
        childStartTime: Option.some("123456")
      }
      expect(yield* store.attempts.openOfOthers(runner)).toEqual([])
      expect(yield* store.attempts.openOfOthers(other)).toEqual([open])
      expect(yield* store.attempts.openOf(taskId("a"))).toEqual(Option.some(open))
      yield* settle("a1", complete)
      expect(yield* store.attempts.openOfOthers(other)).toEqual([])
      expect(yield* store.attempts.openOf(taskId("a"))).toEqual(Option.none())
      expect(yield* store.attempts.find(attemptId("none"))).toEqual(Option.none())
    })
  )

  check(
    "tells what the newest attempts of adapters came to, so many of each and no more",
    Effect.gen(function* () {
      const store = yield* Store
      const verdicts = ["completed: done", "blocked: it is not there", "completed: done"]
      for (const [index, reason] of verdicts.entries()) {
        const name = String.fromCharCode(97 + index)
        const seconds = 100 * index
        yield* add(name, {}, seconds)
        yield* claimed(`${name}1`, seconds)
        const of = { ...bundle(`${name}1`), taskId: name }
        yield* store.attempts.compiled(of, paths, stampAt(seconds))
        if (index < 2)
          yield* settle(`${name}1`, complete, seconds + 7, {
            ...ended(reason),
            // What was noticed takes nothing from a success.
            issues: index === 0 ? ["only the end of its output was looked at"] : [],
            usage: { ...unknownUsage, inputTokens: Option.some(40), outputTokens: Option.some(2) }
          })
      }
      const told = (since: number, most: number, ids = ["local", "nobody"]) =>
        Effect.map(store.usage.attempts(ids, at(since), most), (found) =>
          found.map(({ adapterId, endedAt, inputTokens, isOk, outputTokens, startedAt }) => [
            adapterId,
            text(startedAt),
            text(endedAt),
            isOk,
            inputTokens,
            outputTokens
          ])
        )
      const running = ["local", text(at(200)), null, false, 0, 0]
      const blocked = ["local", text(at(100)), text(at(107)), false, 40, 2]
      const done = ["local", text(at(0)), text(at(7)), true, 40, 2]
      expect(yield* told(0, 10)).toEqual([running, blocked, done])
      expect(yield* told(1, 10)).toEqual([running, blocked])
      expect(yield* told(0, 1)).toEqual([running])
      expect(yield* told(0, 10, [])).toEqual([])
    })
  )

  check(
    "tells of runners that have not ended, and closes the rows of those that are named",
    Effect.gen(function* () {
      const store = yield* Store
      const begin = (id: string, lockPath: string) =>
        store.runners.begin(
          {
            runnerId: RunnerId.make(id),
            host: "h",
            pid: 1,
            processMark: Option.some("7@boot"),
            mode: "run-once",
            lockPath,
            limits: {}
          },
          stampAt(0)
        )
      yield* begin("ended", "/lock")
      yield* begin("dead", "/lock")
      yield* begin("mine", "/lock")
      yield* begin("elsewhere", "/other")
      yield* store.runners.end(RunnerId.make("ended"), stampAt(1))
      const others = Effect.map(store.runners.open, (all) =>
        all.filter(({ runnerId }) => runnerId !== RunnerId.make("mine"))
      )
      const other = { host: "h", pid: 1, processMark: Option.some("7@boot"), mode: "run-once" as const }
      expect(yield* others).toEqual([
        { ...other, runnerId: RunnerId.make("dead"), lockPath: "/lock" },
        { ...other, runnerId: RunnerId.make("elsewhere"), lockPath: "/other" }
      ])
      const ids = ["dead", "ended"].map((id) => RunnerId.make(id))
      expect(yield* store.runners.endDead(ids, stampAt(2))).toBe(1)
      expect(yield* store.runners.endDead(ids, stampAt(2))).toBe(0)
      expect((yield* others).map(({ runnerId }) => runnerId)).toEqual([RunnerId.make("elsewhere")])
    })
  )

  check(
    "tells of a runner what it takes, and since when it drains, until it has ended",
    Effect.gen(function* () {
      const store = yield* Store
      const found = store.runners.find(runner)
      expect(yield* found).toEqual(Option.none())
      const record = {
        runnerId: runner,
        host: "h",
        pid: 1,
        processMark: Option.none(),
        mode: "dispatch" as const,
        lockPath: "/lock"
      }
      yield* store.runners.begin({ ...record, limits: { concurrency: 4 } }, stampAt(0))
      const state = { mode: "dispatch", concurrency: Option.some(4), drainingSince: Option.none() }
      expect(yield* found).toMatchObject(Option.some(state))
      yield* store.runners.drains(runner, stampAt(5))
      yield* store.runners.drains(runner, stampAt(9))
      expect(yield* found).toMatchObject(Option.some({ ...state, drainingSince: Option.some(at(5)) }))
      yield* store.runners.end(runner, stampAt(10))
      expect(yield* found).toEqual(Option.none())
    })
  )
}
