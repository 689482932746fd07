import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  attemptId,
  claim,
  claimed,
  find,
  newest,
  newTask,
  Raw,
  runner,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const claimAll = (count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, index) =>
    Effect.map(claimed(`a${index}`, 100), ({ task }) => String(task.taskId))
  )

const claimFrom = (lanes: ReadonlyArray<string>, attempt: string) =>
  Effect.flatMap(Store, (store) =>
    store.tasks.claim({
      lanes,
      attemptId: attemptId(attempt),
      runnerId: runner,
      host: "host",
      stamp: stampAt(1)
    })
  )

export const claims = (check: Sentence) => {
  check(
    "takes the highest priority first, then the oldest, then the smallest id",
    Effect.gen(function* () {
      yield* add("late", { priority: 5 }, 9)
      yield* add("b", { priority: 5 }, 1)
      yield* add("a", { priority: 5 }, 1)
      yield* add("low", { priority: 0 }, 0)
      yield* add("high", { priority: 100 }, 9)
      expect(yield* claimAll(5)).toEqual(["high", "a", "b", "late", "low"])
      expect(yield* claim("none")).toEqual({ _tag: "None" })
    })
  )

  check(
    "leaves a task alone that became ready by a clock that was set back since, and takes it when it is due",
    Effect.gen(function* () {
      yield* add("tomorrow", { due: 50 }, 0)
      yield* add("today", {}, 0)
      const store = yield* Store
      expect((yield* store.tasks.promote(at(60))).promoted).toBe(1)
      expect((yield* claimed("a1", 10)).task.taskId).toBe(taskId("today"))
      expect(yield* claim("a2", 10)).toEqual({ _tag: "None" })
      expect((yield* store.tasks.promote(at(60))).promoted).toBe(1)
      expect((yield* claimed("a3", 60)).task.taskId).toBe(taskId("tomorrow"))
    })
  )

  check(
    "takes what was due at once when it was queued, put back or retried, though the clock was set back since",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a", { due: 5_000 }, 5_000)
      expect((yield* claimed("a1", 10)).task.taskId).toBe(taskId("a"))
      yield* settle("a1", { _tag: "PutBack", counted: true, error: "boot_sweep" }, 6_000)
      expect((yield* claimed("a2", 20)).attempt.number).toBe(2)
      yield* settle("a2", { _tag: "Block", outcome: Option.none(), error: "x" }, 7_000)
      yield* store.tasks.retry(taskId("a"), Option.none(), stampAt(8_000))
      expect((yield* claimed("a3", 30)).attempt.number).toBe(3)
    })
  )

  check(
    "takes the best over all lanes",
    Effect.gen(function* () {
      yield* add("a", { adapter: "x", priority: 3 })
      yield* add("b", { adapter: "y", priority: 8 })
      yield* add("c", { profile: "p", priority: 5 })
      yield* add("d", { untrusted: true, priority: 4 })
      expect(yield* claimAll(4)).toEqual(["b", "c", "d", "a"])
    })
  )

  check(
    "opens an attempt for what it takes and tells it",
    Effect.gen(function* () {
      yield* add("a")
      const { task, round, attempt } = yield* claimed("a1", 5)
      expect(task).toMatchObject({ status: "running", attemptCount: 1, lastError: Option.none() })
      expect(text(task.startedAt)).toBe(text(at(5)))
      expect(round.round).toBe(1)
      expect(attempt).toMatchObject({
        attemptId: attemptId("a1"),
        taskId: taskId("a"),
        number: 1,
        runnerId: runner,
        host: "host",
        status: "running",
        startedAt: at(5),
        endedAt: Option.none(),
        exitStatus: Option.none(),
        issues: []
      })
      expect(yield* find("a")).toEqual({ task, round })
      const [event] = yield* newest(1)
      expect(event).toMatchObject({
        eventType: "task_claimed",
        taskId: Option.some(taskId("a")),
        attemptId: Option.some(attemptId("a1")),
        detail: { runner_id: runner, number: 1, attempt_count: 1 }
      })
    })
  )

  check(
    "leaves the tasks of closed lanes alone",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("cooling", { adapter: "codex", priority: 100 })
      yield* add("open", { adapter: "local" })
      yield* add("default", {}, 1)
      const lanes = yield* store.tasks.lanes
      expect(lanes.map((lane) => Option.getOrElse(lane.requestedAdapter, () => "none")).sort()).toEqual([
        "codex",
        "local",
        "none"
      ])
      const open = lanes
        .filter((lane) => !Option.contains(lane.requestedAdapter, "codex"))
        .map((lane) => lane.key)
      const taken = yield* claimFrom(open, "a1")
      expect(taken._tag === "Claimed" && taken.claimed.task.taskId).toBe(taskId("open"))
      expect((yield* claimFrom(open, "a2"))._tag).toBe("Claimed")
      expect(yield* claimFrom(open, "a3")).toEqual({ _tag: "None" })
      expect(yield* claimFrom([], "a3")).toEqual({ _tag: "None" })
      expect((yield* find("cooling")).task.status).toBe("pending")
    })
  )

  check(
    "tells lanes apart whatever stands in their ids, and trusted from untrusted",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("1", { adapter: 'a","b' })
      yield* add("2", { adapter: "a", profile: "b" })
      yield* add("3", { profile: "a" })
      yield* add("4", { adapter: "a" })
      yield* add("5", { adapter: "a", untrusted: true })
      yield* add("6", { adapter: "a" })
      yield* add("delayed", { adapter: "z", due: 60 })
      const lanes = yield* store.tasks.lanes
      expect(lanes.length).toBe(5)
      expect(
        lanes
          .map((lane) => [
            Option.getOrNull(lane.requestedAdapter),
            Option.getOrNull(lane.requestedProfile),
            lane.untrusted
          ])
          .map((lane) => JSON.stringify(lane))
          .sort()
      ).toEqual(
        [
          ['a","b', null, false],
          ["a", "b", false],
          [null, "a", false],
          ["a", null, false],
          ["a", null, true]
        ]
          .map((lane) => JSON.stringify(lane))
          .sort()
      )
    })
  )

  check(
    "claims a delayed task only after it was promoted",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("later", { due: 60 })
      expect(yield* claim("a1", 100)).toEqual({ _tag: "None" })
      expect((yield* store.tasks.promote(at(59))).promoted).toBe(0)
      expect(text(yield* store.tasks.nextDue)).toBe(text(at(60)))
      expect((yield* store.tasks.promote(at(60))).promoted).toBe(1)
      expect(yield* store.tasks.nextDue).toEqual(Option.none())
      expect((yield* claimed("a1", 60)).task.taskId).toBe(taskId("later"))
    })
  )

  check(
    "promotes at most 1,000 tasks, those that were due first",
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.transact(
        "fill",
        Effect.forEach(
          Array.from({ length: 1_100 }, (_, index) => index),
          (index) => store.tasks.add(newTask(`t${index}`, { due: 2_000 - index }), stampAt(0)),
          { discard: true }
        )
      )
      expect((yield* store.tasks.promote(at(5_000))).promoted).toBe(1_000)
      expect(text(yield* store.tasks.nextDue)).toBe(text(at(1_901)))
      expect((yield* store.tasks.promote(at(5_000))).promoted).toBe(100)
      expect((yield* store.tasks.promote(at(5_000))).promoted).toBe(0)
    })
  )

  check(
    "counts attempts over the whole life of a task, and the round's anew after a retry",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      const numbers: Array<ReadonlyArray<number>> = []
      const attempt = (name: string) =>
        Effect.map(claimed(name, 10), ({ task, round, attempt }) =>
          numbers.push([attempt.number, task.attemptCount, round.round])
        )
      yield* attempt("1")
      yield* settle("1", { _tag: "RetryAt", at: at(10), outcome: Option.none(), error: "x" }, 10)
      yield* attempt("2")
      yield* settle("2", { _tag: "SnoozeUntil", at: at(10), outcome: Option.none(), error: "x" }, 10)
      yield* attempt("3")
      yield* settle("3", { _tag: "Block", outcome: Option.none(), error: "x" }, 10)
      yield* store.tasks.retry(taskId("a"), Option.none(), stampAt(10))
      yield* attempt("4")
      expect(numbers).toEqual([
        [1, 1, 1],
        [2, 2, 1],
        [3, 2, 1],
        [4, 1, 2]
      ])
      expect((yield* store.attempts.ofTask(taskId("a"))).map((one) => one.number)).toEqual([1, 2, 3, 4])
    })
  )

  check(
    "gives each task to one of many that claim at once",
    Effect.gen(function* () {
      for (const name of ["a", "b", "c", "d", "e"]) yield* add(name)
      const found = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => `x${index}`),
        (attempt) => claim(attempt),
        { concurrency: "unbounded" }
      )
      const taken = found.flatMap((one) => (one._tag === "Claimed" ? [String(one.claimed.task.taskId)] : []))
      expect(taken.sort()).toEqual(["a", "b", "c", "d", "e"])
    })
  )

  check(
    "does not let a second attempt of a task be open",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* add("a")
      yield* claimed("a1")
      const second = yield* Effect.exit(
        raw.run(
          `INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, status, started_at)
           VALUES ('a2', 'a', 2, 1, 'r', 'h', 'running', 'x')`
        )
      )
      expect(second._tag).toBe("Failure")
    })
  )

  check(
    "claims in the order of the queue when the clock has gone back",
    Effect.gen(function* () {
      yield* add("first", {}, 100)
      yield* add("before it, by the clock", {}, 50)
      expect((yield* claimed("1", 10)).task.taskId).toBe(taskId("before it, by the clock"))
      expect((yield* claimed("2", 9)).task.taskId).toBe(taskId("first"))
      yield* settle("1", { _tag: "RetryAt", at: at(5), outcome: Option.none(), error: "x" }, 4)
      expect((yield* claim("3", 4))._tag).toBe("None")
      const store = yield* Store
      expect((yield* store.tasks.promote(at(5))).promoted).toBe(1)
      expect((yield* claimed("3", 5)).attempt.number).toBe(2)
    })
  )

  check(
    "counts the ready tasks before one: of higher priority, and of the same but older, in the lanes that are named",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("older", {}, 1)
      yield* add("b", {}, 2)
      yield* add("a", {}, 2)
      yield* add("newer", {}, 3)
      yield* add("high", { priority: 6 }, 3)
      yield* add("delayed", { priority: 9, due: 60 }, 3)
      yield* add("elsewhere", { priority: 9, adapter: "other" }, 3)
      const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
      const own = lanes.filter((key) => !key.includes("other"))
      const { task } = yield* find("b")
      expect(yield* store.tasks.before(task, lanes, at(4))).toEqual({ higher: 2, older: 2 })
      expect(yield* store.tasks.before(task, own, at(4))).toEqual({ higher: 1, older: 2 })
      expect(yield* store.tasks.before(task, [], at(4))).toEqual({ higher: 0, older: 0 })
    })
  )
}
