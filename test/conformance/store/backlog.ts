import { expect } from "bun:test"
import { Effect, Option } from "effect"
import type { BacklogKey } from "../../../src/store/Backlog.ts"
import { Store } from "../../../src/store/Store.ts"
import { add, at, claimed, complete, newTask, Raw, settle, stampAt, taskId } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const key = (subject: string | null, changes: Partial<BacklogKey> = {}): BacklogKey => ({
  source: "backlog",
  subject: Option.fromNullable(subject),
  kind: "note",
  payload: {},
  ...changes
})

const find = (wanted: BacklogKey) => Effect.flatMap(Store, ({ backlog }) => backlog.find(wanted))

const addWith = (name: string, subject: string, seconds: number) =>
  Effect.flatMap(Store, (store) => {
    const task = newTask(name, { source: "backlog" })
    return store.tasks.add({ ...task, intent: { ...task.intent, subject } }, stampAt(seconds))
  })

const found = (name: string) => ({ _tag: "Found", taskId: taskId(name), kind: "note" }) as const
const absent = { _tag: "Absent" } as const

/** What of a backlog is in the queue already. */
export const backlog = (check: Sentence) => {
  check(
    "finds the first task of a source and subject, whatever became of it",
    Effect.gen(function* () {
      yield* addWith("a", "look", 0)
      yield* addWith("b", "look", 1)
      yield* claimed("attempt", 2)
      yield* settle("attempt", complete, 3)
      expect(yield* find(key("look", { kind: "other", payload: { other: 1 } }))).toEqual(found("a"))
      expect(yield* find(key("Look"))).toEqual(absent)
      expect(yield* find(key("look", { source: "other" }))).toEqual(absent)
      expect(yield* find(key(null))).toEqual(absent)
    })
  )

  check(
    "knows a task without a subject by its kind and payload as well",
    Effect.gen(function* () {
      yield* add("a", { source: "backlog", payload: { n: 1 } })
      expect(yield* find(key(null, { payload: { n: 1 } }))).toEqual(found("a"))
      expect(yield* find(key(null, { payload: { n: 2 } }))).toEqual(absent)
      expect(yield* find(key(null, { payload: { n: 1 }, kind: "other" }))).toEqual(absent)
      expect(yield* find(key("", { payload: { n: 1 } }))).toEqual(absent)
    })
  )

  check(
    "remembers what a key was seeded with, also when it is pruned, and goes by that",
    Effect.gen(function* () {
      const store = yield* Store
      const remember = (wanted: BacklogKey, name: string, kind = "note") =>
        store.transact("remember", store.backlog.remember(wanted, { taskId: taskId(name), kind }))
      yield* addWith("a", "look", 0)
      yield* add("b", { source: "backlog", payload: { x: 1, y: 2 } }, 0)
      for (const attempt of ["1", "2"]) {
        yield* claimed(attempt, 1)
        yield* settle(attempt, complete, 2)
      }
      yield* remember(key("look"), "a")
      yield* remember(key("look", { kind: "other" }), "c", "other")
      yield* remember(key(null, { payload: { x: 1, y: 2 } }), "b")
      const wanted = { finishedBefore: at(100), held: [] }
      expect((yield* store.maintenance.prune.tasks(wanted, Option.none(), false)).tasks).toBe(2)
      expect(yield* find(key("look", { kind: "other", payload: { other: 1 } }))).toEqual(found("a"))
      expect(yield* find(key(null, { payload: { y: 2, x: 1 } }))).toEqual(found("b"))
      for (const other of [
        key("Look"),
        key(null),
        key(""),
        key("look", { source: "other" }),
        key(null, { kind: "other", payload: { x: 1, y: 2 } })
      ])
        expect(yield* find(other)).toEqual(absent)
    })
  )

  check(
    "does not search a source of more than 10,000 tasks",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* addWith("a", "look", 0)
      const copies = (from: number, to: number) =>
        raw.run(
          `WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at,
             available_at, lane, created_by_json)
           SELECT 'copy ' || i, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at,
             available_at, lane, created_by_json FROM n, (SELECT * FROM tasks WHERE task_id = 'a')`,
          from,
          to
        )
      yield* copies(1, 9_999)
      expect(yield* find(key("look"))).toEqual(found("a"))
      yield* copies(10_000, 10_000)
      expect(yield* find(key("look"))).toEqual({ _tag: "Crowded" })
      expect(yield* find(key("look", { source: "other" }))).toEqual(absent)
    })
  )
}
