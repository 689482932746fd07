import { expect } from "bun:test"
import { Effect, Option } from "effect"
import type { Ground } from "../../../src/store/Gates.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  complete,
  find,
  Raw,
  runner,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const shared: Ground = { dir: "/repo", workspace: "shared" }
const exclusive: Ground = { dir: "/repo", workspace: "exclusive" }

const occupy = (attempt: string, ground: Option.Option<Ground>) =>
  Effect.flatMap(Store, (store) => store.attempts.occupy(attemptId(attempt), ground))

const held = Effect.gen(function* () {
  const inHand = yield* (yield* Store).gates.inHand
  return Object.fromEntries(inHand.map((one) => [one.taskId, Option.getOrNull(one.ground)]))
})

/** Adds tasks and claims them in turn: `a` by attempt `a1`. */
const running = (...names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => Effect.zipRight(add(name), claimed(`${name}1`)), { discard: true })

/** Folders that attempts work in, and the order in which lanes would be claimed from. */
export const grounds = (check: Sentence) => {
  check(
    "records with the claim where the attempt works, by the lane that the task came from",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a", { adapter: "codex" })
      yield* add("b")
      const lanes = (yield* store.tasks.lanes).map(({ key }) => key)
      const codex = lanes.find((key) => key.includes("codex"))!
      for (const attempt of ["1", "2"]) {
        const claim = yield* store.tasks.claim({
          lanes,
          grounds: new Map([[codex, exclusive]]),
          attemptId: attemptId(attempt),
          runnerId: runner,
          host: "host",
          stamp: stampAt(1)
        })
        expect(claim._tag === "Claimed" ? claim.claimed.ground : claim).toEqual(
          attempt === "1" ? exclusive : undefined
        )
      }
      expect(yield* held).toEqual({ a: exclusive, b: null } as never)
    })
  )

  check(
    "lets no two attempts occupy a folder where either wants to be alone, and tells who is there",
    Effect.gen(function* () {
      yield* running("a", "b", "c")
      const free = { _tag: "Occupied" } as const
      expect(yield* occupy("a1", Option.some(shared))).toEqual(free)
      expect(yield* occupy("b1", Option.some(shared))).toEqual(free)
      const inUse = { _tag: "InUse", taskId: taskId("a"), adapterId: Option.none(), since: at(0) } as const
      expect(yield* occupy("c1", Option.some(exclusive))).toEqual(inUse)
      // Itself is not in its own way, others are.
      expect(yield* occupy("a1", Option.some(exclusive))).toMatchObject({ taskId: taskId("b") })
      expect(yield* occupy("b1", Option.none())).toEqual(free)
      expect(yield* occupy("a1", Option.some(exclusive))).toEqual(free)
      expect(yield* occupy("b1", Option.some(shared))).toMatchObject({ taskId: taskId("a") })
      expect(yield* occupy("b1", Option.some({ ...shared, workspace: "worktree" }))).toMatchObject({
        taskId: taskId("a")
      })
      expect(yield* occupy("c1", Option.some({ ...exclusive, dir: "/other" }))).toEqual(free)
      expect(yield* held).toEqual({ a: exclusive, b: null, c: { ...exclusive, dir: "/other" } } as never)
    })
  )

  check(
    "frees a folder with the end of the attempt, and gives none to one that has ended",
    Effect.gen(function* () {
      yield* running("a", "b")
      yield* occupy("a1", Option.some(exclusive))
      yield* settle("a1", complete)
      yield* occupy("a1", Option.some({ ...exclusive, dir: "/late" }))
      expect(yield* occupy("b1", Option.some(exclusive))).toEqual({ _tag: "Occupied" })
      const raw = yield* Raw
      const rows = yield* raw.run("SELECT working_dir FROM attempts ORDER BY attempt_id")
      expect(rows.map((row) => row.working_dir)).toEqual(["/repo", "/repo"])
    })
  )

  check(
    "holds a folder for nobody else where another program wrote how it is used",
    Effect.gen(function* () {
      yield* running("a")
      const raw = yield* Raw
      yield* raw.run("UPDATE attempts SET working_dir = '/repo', workspace = NULL")
      expect(yield* held).toEqual({ a: exclusive } as never)
    })
  )

  check(
    "tells the best task of each lane that has one",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("old", { adapter: "codex", priority: 5 }, 1)
      yield* add("best", { adapter: "codex", priority: 9 }, 2)
      yield* add("b", {}, 3)
      const lanes = (yield* store.tasks.lanes).map(({ key }) => key)
      const heads = yield* store.tasks.heads([...lanes, "no lane"])
      const { task } = yield* find("b")
      expect([...heads.values()].sort((a, b) => b.priority - a.priority)).toEqual([
        { taskId: taskId("best"), priority: 9, createdAt: at(2) },
        { taskId: taskId("b"), priority: 5, createdAt: task.createdAt }
      ])
      expect([...heads.keys()].sort()).toEqual([...lanes].sort())
    })
  )

  check(
    "takes back an attempt that waits for a folder, and calls that no rate limit",
    Effect.gen(function* () {
      yield* running("a")
      yield* settle("a1", {
        _tag: "SnoozeUntil",
        waitsFor: "workspace",
        at: at(9),
        outcome: Option.none(),
        error: "in use"
      })
      const { task, round } = yield* find("a")
      expect([task.status, task.attemptCount, round.notCounted]).toEqual(["retryable_failure", 0, 1])
      const store = yield* Store
      const [last] = (yield* store.events.ofTask(taskId("a"), 100)).slice(-1)
      expect(last?.eventType).toBe("task_retry_scheduled")
      expect(last?.detail).toMatchObject({ counted: false, reason: "in use" })
    })
  )
}
