import { describe, expect } from "bun:test"
import { Effect, FastCheck, Option } from "effect"
import { LAST_GIVEN } from "../../../layers/store/SqlEvents.ts"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { list } from "../../../layers/store/SqlListing.ts"
import { TASK_STATUSES } from "../../../src/domain/TaskStatuses.ts"
import { Store } from "../../../src/store/Store.ts"
import type { TasksInOrder } from "../../../src/store/TaskLists.ts"
import { it } from "../../support/effect.ts"
import {
  add,
  at,
  claim,
  complete,
  inMemory,
  outcome,
  Raw,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"

const { constantFrom, nat } = FastCheck
const move = FastCheck.record({
  what: constantFrom(
    "add",
    "add",
    "add",
    "claim",
    "claim",
    "settle",
    "settle",
    "cancel",
    "retry",
    "prune",
    "list"
  ),
  which: nat(1_000),
  how: nat(3)
})

/** Takes over all that has changed, as the transaction of some 256th event does. */
const listed = Effect.flatMap(Sqlite, (sqlite) =>
  sqlite.write("list", (writing) => list(writing, Number(writing.rows(LAST_GIVEN)[0]?.id)))
)

/** Makes moves one after the other, each a second later; those that are refused change nothing. */
const played = (moves: ReadonlyArray<{ what: string; which: number; how: number }>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const raw = yield* Raw
    const open: Array<string> = []
    let made = 0
    for (const [index, { how, what, which }] of moves.entries()) {
      const second = 1 + Math.floor(index / 3)
      const name = taskId(`t${which % (made + 1)}`)
      if (what === "add")
        yield* add(`t${made++}`, { kind: `kind${how}`, source: `source${which % 2}`, priority: how }, second)
      if (what === "claim") {
        const found = yield* claim(`a${index}`, second)
        if (found._tag === "Claimed") open.push(`a${index}`)
      }
      const attempt = what === "settle" ? open.shift() : undefined
      if (attempt !== undefined) {
        const moves = [
          complete,
          { _tag: "RetryAt", at: at(second), error: "again", outcome: Option.none() },
          { _tag: "Block", error: "stuck", outcome: Option.some(outcome("blocked")) },
          { _tag: "FailForGood", error: "no", outcome: Option.none() }
        ] as const
        yield* settle(attempt, moves[how] ?? complete, second)
      }
      if (what === "cancel") yield* store.tasks.cancel(name, Option.none(), stampAt(second))
      if (what === "retry") yield* store.tasks.retry(name, Option.none(), stampAt(second))
      if (what === "prune" && how === 0) {
        yield* store.maintenance.prune.tasks(
          { finishedBefore: at(second / 2), held: [] },
          Option.none(),
          false
        )
        yield* store.maintenance.prune.events(at(second / 4), 0 as never, false)
      }
      if (what === "list") yield* listed
      if (index % 20 === 0) yield* same(raw, how)
    }
  })

/** Ids of all pages; between two of them rows move over into the indexes. */
const walked = (
  page: (after: Option.Option<string>) => Effect.Effect<Option.Option<TasksInOrder>, unknown, Store>,
  moves: boolean
) =>
  Effect.gen(function* () {
    const ids: Array<string> = []
    let after = Option.none<string>()
    for (let pages = 0; ; pages++) {
      const found = Option.getOrThrow(yield* page(after))
      ids.push(...found.tasks.map((task) => String(task.taskId)))
      if (Option.isNone(found.next)) return ids
      after = found.next
      if (moves && pages === 1) yield* listed
    }
  })

const ofRows = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  rows.map((row) => String(row.task_id))

/** What the store answers against what stands in its tables. */
const same = (raw: Raw["Type"], how: number) =>
  Effect.gen(function* () {
    const { attempts, backlog, events, tasks } = yield* Store
    const status = TASK_STATUSES[how * 2] ?? "pending"
    const kind = `kind${how}`
    const any = { status: [], kind: Option.none(), source: Option.none() }
    const newest = "ORDER BY created_at DESC, task_id DESC"
    const lists = [
      [any, ""],
      [{ ...any, status: [status, "blocked" as const] }, `WHERE status IN ('${status}', 'blocked')`],
      [{ ...any, kind: Option.some(kind) }, `WHERE kind = '${kind}'`],
      [{ ...any, source: Option.some("source1") }, "WHERE source = 'source1'"],
      [
        { status: [status], kind: Option.some(kind), source: Option.some("source0") },
        `WHERE status = '${status}' AND kind = '${kind}' AND source = 'source0'`
      ]
    ] as const
    for (const [index, [filter, where]] of lists.entries()) {
      const expected = ofRows(yield* raw.run(`SELECT task_id FROM tasks ${where} ${newest}`))
      const limit = 3 + how
      expect(yield* walked((after) => tasks.list(filter, { limit, after }), index === how)).toEqual(expected)
      expect(yield* walked((after) => tasks.search(filter, "kind", { limit, after }), false)).toEqual(
        expected
      )
    }
    const done = "status IN ('completed', 'permanent_failure', 'operator_canceled')"
    expect(yield* walked((after) => tasks.ended({ limit: 4, after }), how === 1)).toEqual(
      ofRows(
        yield* raw.run(`SELECT task_id FROM tasks WHERE ${done} ORDER BY finished_at DESC, task_id DESC`)
      )
    )
    expect(yield* walked((after) => tasks.blocked({ limit: 4, after }), how === 1)).toEqual(
      ofRows(
        yield* raw.run("SELECT task_id FROM tasks WHERE status = 'blocked' ORDER BY updated_at, task_id")
      )
    )
    expect((yield* tasks.recentCompleted(kind, 5)).map((task) => String(task.taskId))).toEqual(
      ofRows(
        yield* raw.run(`SELECT task_id FROM tasks WHERE status = 'completed' AND kind = '${kind}'
          ORDER BY finished_at DESC, task_id DESC LIMIT 5`)
      )
    )
    const counts = yield* raw.run("SELECT status, count(*) AS n FROM tasks GROUP BY status")
    const found: Readonly<Record<string, number>> = yield* tasks.counts
    for (const one of TASK_STATUSES)
      expect([one, found[one]]).toEqual([one, Number(counts.find((row) => row.status === one)?.n ?? 0)])
    const begun = yield* attempts.begun(at(0), Option.none(), 1_000)
    expect(begun.map(({ attempt }) => String(attempt.attemptId))).toEqual(
      (yield* raw.run("SELECT attempt_id FROM attempts ORDER BY started_at DESC, attempt_id DESC")).map(
        (row) => String(row.attempt_id)
      )
    )
    for (const task of [`t${how}`, "t9"])
      expect((yield* events.ofTask(taskId(task), 5)).map(({ id }) => Number(id))).toEqual(
        (yield* raw.run("SELECT id FROM run_events WHERE task_id = ?1 ORDER BY id DESC LIMIT 5", task))
          .map((row) => Number(row.id))
          .reverse()
      )
    const seed = { source: "source1", kind, subject: Option.none(), payload: { name: `t${how}` } }
    const [first] = yield* raw.run(
      "SELECT task_id FROM tasks WHERE source = 'source1' AND kind = ?1 AND payload_json = ?2",
      kind,
      JSON.stringify(seed.payload)
    )
    expect((yield* backlog.find(seed))._tag).toBe(first === undefined ? "Absent" : "Found")
  })

describe("what only lists ask for", () => {
  for (const seed of [1, 2])
    it.effect(`is answered as if it were kept by each move (${seed})`, () =>
      Effect.gen(function* () {
        yield* played(FastCheck.sample(move, { numRuns: 300, seed }))
        const { problems } = yield* Effect.flatMap(Store, (store) => store.maintenance.health(true))
        expect(problems).toEqual([])
      }).pipe(Effect.provide(inMemory()))
    )

  it.effect("is taken over with each 256th event, but for what runs", () =>
    Effect.gen(function* () {
      const raw = yield* Raw
      const rest = Effect.map(raw.run("SELECT count(*) AS n FROM tasks WHERE to_list = 1"), ([row]) =>
        Number(row?.n)
      )
      for (let index = 1; index < 255; index++) yield* add(`t${index}`)
      yield* claim("a1")
      expect(yield* rest).toBe(254)
      // Its own task is in the same transaction.
      yield* add("t256")
      expect(yield* rest).toBe(1)
      expect(yield* raw.run("SELECT id FROM event_marks WHERE mark = 'listed'")).toEqual([{ id: 256 }])
      yield* settle("a1", complete)
      expect(yield* rest).toBe(1)
      for (let index = 259; index <= 512; index++) yield* add(`t${index}`)
      expect(yield* rest).toBe(0)
      expect(yield* raw.run("SELECT count(*) AS n FROM attempts WHERE listed = 0")).toEqual([{ n: 0 }])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is found whatever another program adds or moves that knows nothing of it", () =>
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* add("a", { kind: "kind0" })
      yield* listed
      yield* raw.run(`INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at,
          updated_at, available_at, lane, created_by_json)
        SELECT 'b' || value, 'kind1', 'source1', 5, '{}', 3, CASE value WHEN 1 THEN 'running' ELSE 'blocked' END,
          created_at, created_at, created_at, lane, created_by_json
        FROM tasks, json_each('[1, 2, 3, 4]') WHERE task_id = 'a'`)
      const rest = Effect.map(raw.run("SELECT task_id FROM tasks WHERE to_list = 1"), ofRows)
      expect(yield* rest).toEqual(["b1"])
      yield* same(raw, 1)
      yield* raw.run(
        "UPDATE tasks SET status = 'completed', finished_at = updated_at WHERE task_id IN ('b1', 'b2')"
      )
      yield* raw.run("DELETE FROM tasks WHERE task_id = 'b3'")
      expect(yield* rest).toEqual(["b1", "b2"])
      yield* same(raw, 1)
      yield* listed
      expect(yield* rest).toEqual([])
      yield* same(raw, 1)
    }).pipe(Effect.provide(inMemory()))
  )
})
