import { expect } from "bun:test"
import { type DateTime, Effect, Option } from "effect"
import type { TaskStatus } from "../../../src/domain/Task.ts"
import { cursorOf } from "../../../src/store/Cursor.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  claimed,
  complete,
  find,
  messageId,
  newTask,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

interface Filters {
  readonly status?: ReadonlyArray<TaskStatus>
  readonly kind?: string
  readonly source?: string
}

const page = (filters: Filters, limit: number, after: Option.Option<string> = Option.none()) =>
  Effect.gen(function* () {
    const store = yield* Store
    const filter = {
      status: filters.status ?? [],
      kind: Option.fromNullable(filters.kind),
      source: Option.fromNullable(filters.source)
    }
    return Option.getOrThrow(yield* store.tasks.list(filter, { limit, after }))
  })

/** Ids over all pages, with how many pages were partial; `between` runs after each page. */
const walk = (
  filters: Filters,
  limit: number,
  between: Effect.Effect<unknown, unknown, Store> = Effect.void
) =>
  Effect.gen(function* () {
    const ids: Array<string> = []
    let partial = 0
    let after = Option.none<string>()
    do {
      const found = yield* page(filters, limit, after)
      expect(found.tasks.length).toBeLessThanOrEqual(limit)
      ids.push(...found.tasks.map((task) => String(task.taskId)))
      if (found.partial) partial++
      after = found.next
      yield* between
    } while (Option.isSome(after))
    return { ids, partial }
  })

const name = (index: number) => `t${String(index).padStart(5, "0")}`

// Two of the same second each, so that the id decides; kinds and sources in different rhythms.
const fill = (count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, index) =>
    add(
      name(index),
      { kind: index % 2 === 0 ? "even" : "odd", source: index % 3 === 0 ? "s0" : "s1" },
      Math.floor(index / 2)
    )
  )

const newestFirst = (count: number, keep: (index: number) => boolean = () => true) =>
  Array.from({ length: count }, (_, index) => index)
    .filter(keep)
    .reverse()
    .map(name)

export const lists = (check: Sentence) => {
  check(
    "tells what waits in the order of claims, over all lanes, and behind it what is due later, soonest first",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("old", { priority: 5 }, 0)
      yield* add("high", { priority: 9, adapter: "other" }, 3)
      yield* add("low", { priority: 1 }, 1)
      yield* add("young", { priority: 5, adapter: "other" }, 2)
      yield* add("latest", { due: 900 }, 4)
      yield* add("later", { due: 600 }, 5)
      const upcoming = (limit: number) =>
        Effect.map(store.tasks.upcoming(limit, at(10)), (tasks) => tasks.map(({ taskId }) => String(taskId)))
      expect(yield* upcoming(10)).toEqual(["high", "old", "young", "low", "later", "latest"])
      expect(yield* upcoming(3)).toEqual(["high", "old", "young"])
      yield* claimed("r1")
      expect(yield* upcoming(2)).toEqual(["old", "young"])
    })
  )

  check(
    "tells what is due and was not promoted yet where a claim would find it, and writes nothing for that",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("low", { priority: 5 }, 0)
      yield* add("high", { priority: 90, due: 20 }, 1)
      yield* add("middle", { priority: 50, due: 30, adapter: "other" }, 2)
      yield* add("later", { priority: 99, due: 40 }, 3)
      const upcoming = (limit: number, seconds: number) =>
        Effect.map(store.tasks.upcoming(limit, at(seconds)), (tasks) =>
          tasks.map(({ taskId }) => String(taskId))
        )
      expect(yield* upcoming(10, 19)).toEqual(["low", "high", "middle", "later"])
      expect(yield* upcoming(10, 20)).toEqual(["high", "low", "middle", "later"])
      expect(yield* upcoming(10, 30)).toEqual(["high", "middle", "low", "later"])
      expect(yield* upcoming(1, 30)).toEqual(["high"])
      expect(yield* upcoming(2, 30)).toEqual(["high", "middle"])
      // What explains it counts the same, lane by lane, at most as many as one claim promotes.
      expect(yield* store.tasks.lanes).toHaveLength(1)
      const keys = (yield* store.tasks.lanesAt(at(30))).map(({ key }) => key)
      expect(keys).toHaveLength(2)
      const { task } = yield* find("low")
      expect(yield* store.tasks.before(task, keys, at(19))).toEqual({ higher: 0, older: 0 })
      expect(yield* store.tasks.before(task, keys, at(30))).toEqual({ higher: 2, older: 0 })
      expect(yield* store.tasks.before({ ...task, priority: 90 }, keys, at(40))).toEqual({
        higher: 1,
        older: 0
      })
      const first = (dueBy?: DateTime.Utc) =>
        Effect.map(store.tasks.heads(keys, dueBy), (heads) =>
          [...heads.values()].map(({ taskId }) => String(taskId)).sort()
        )
      expect(yield* first()).toEqual(["low"])
      expect(yield* first(at(30))).toEqual(["high", "middle"])
      // Nothing was promoted for that.
      expect((yield* store.tasks.promote(at(30))).promoted).toBe(2)
      expect(yield* upcoming(10, 30)).toEqual(["high", "middle", "low", "later"])
      expect((yield* claimed("r1", 30)).task.taskId).toBe(taskId("high"))
    })
  )

  check(
    "tells what ended by when it ended, not by when it was queued, page by page, without what does not stand still",
    Effect.gen(function* () {
      const store = yield* Store
      yield* fill(6)
      // Those that were queued last end first: the highest priority is claimed before the others.
      for (const run of ["r1", "r2", "r3"]) yield* claimed(run)
      yield* settle("r3", complete, 40)
      yield* settle("r1", complete, 50)
      yield* settle("r2", complete, 60)
      const ended = (after: Option.Option<string>) =>
        Effect.map(store.tasks.ended({ limit: 2, after }), Option.getOrThrow)
      const first = yield* ended(Option.none())
      expect(first.tasks.map(({ taskId }) => String(taskId))).toEqual([name(1), name(0)])
      const rest = yield* ended(first.next)
      expect([rest.tasks.map(({ taskId }) => String(taskId)), rest.next]).toEqual([[name(2)], Option.none()])
      // A task that was begun anew has lost its place; the list goes on after where it was.
      yield* store.tasks.retry(taskId(name(0)), Option.none(), stampAt(70))
      expect((yield* ended(first.next)).tasks.map(({ taskId }) => String(taskId))).toEqual([name(2)])
      const moment = text(at(50)) ?? ""
      const others = [
        [moment, name(2)],
        ["blocked", moment, name(2)]
      ]
      for (const forged of [
        "nonsense",
        ...[...others, ["ended", "2026", "x"], ["ended", moment, "x"]].map(cursorOf)
      ])
        expect(yield* store.tasks.ended({ limit: 2, after: Option.some(forged) })).toEqual(Option.none())
    })
  )

  check(
    "tells what is blocked by since when it is, not by when it was queued, page by page, without what was moved on",
    Effect.gen(function* () {
      const store = yield* Store
      yield* fill(6)
      const stuck = { _tag: "Block", error: "stuck", outcome: Option.none() } as const
      for (const run of ["r1", "r2", "r3", "r4"]) yield* claimed(run)
      yield* settle("r3", stuck, 40)
      yield* settle("r2", complete, 45)
      // Of one moment each: then the id decides.
      yield* settle("r4", stuck, 50)
      yield* settle("r1", stuck, 50)
      const blocked = (limit: number, after: Option.Option<string> = Option.none()) =>
        Effect.map(store.tasks.blocked({ limit, after }), (found) => {
          const { next, tasks } = Option.getOrThrow(found)
          return { ids: tasks.map(({ taskId }) => String(taskId)), next }
        })
      const [first, second, third] = [name(2), name(0), name(3)] as const
      expect(yield* blocked(3)).toEqual({ ids: [first, second, third], next: Option.none() })
      const page = yield* blocked(1)
      expect(page.ids).toEqual([first])
      const next = yield* blocked(1, page.next)
      expect(next.ids).toEqual([second])
      // What was moved on has lost its place; the list goes on after where it was.
      yield* store.tasks.retry(taskId(second), Option.none(), stampAt(70))
      expect((yield* blocked(9, page.next)).ids).toEqual([third])
      expect(yield* blocked(9, next.next)).toEqual({ ids: [third], next: Option.none() })
      const moment = text(at(50)) ?? ""
      const others = [
        [moment, name(2)],
        ["ended", moment, name(2)]
      ]
      for (const forged of [
        "nonsense",
        ...[...others, ["blocked", "2026", "x"], ["blocked", moment, "x"]].map(cursorOf)
      ])
        expect(yield* store.tasks.blocked({ limit: 2, after: Option.some(forged) })).toEqual(Option.none())
    })
  )

  check(
    "pages through all tasks, newest first, none twice and none left out, whatever the page's size",
    Effect.gen(function* () {
      yield* fill(25)
      for (const limit of [1, 2, 7, 24, 25, 26, 500])
        expect((yield* walk({}, limit)).ids).toEqual(newestFirst(25))
      expect((yield* page({}, 25)).next).toEqual(Option.none())
    })
  )

  check(
    "repeats nothing and leaves nothing out while tasks are added",
    Effect.gen(function* () {
      const store = yield* Store
      yield* fill(20)
      let more = 0
      const between = Effect.suspend(() => store.tasks.add(newTask(`new${more++}`), stampAt(1_000 + more)))
      expect((yield* walk({}, 3, between)).ids).toEqual(newestFirst(20))
    })
  )

  check(
    "filters by each column and by all together",
    Effect.gen(function* () {
      yield* fill(24)
      yield* claimed("r1")
      yield* claimed("r2")
      yield* settle("r2", complete)
      const [even, third] = [(n: number) => n % 2 === 0, (n: number) => n % 3 === 0]
      for (const limit of [2, 5, 100]) {
        expect((yield* walk({ kind: "even" }, limit)).ids).toEqual(newestFirst(24, even))
        expect((yield* walk({ source: "s0" }, limit)).ids).toEqual(newestFirst(24, third))
        expect((yield* walk({ kind: "even", source: "s0" }, limit)).ids).toEqual(
          newestFirst(24, (n) => even(n) && third(n))
        )
        expect((yield* walk({ status: ["pending"] }, limit)).ids).toEqual(newestFirst(24, (n) => n > 1))
        expect((yield* walk({ status: ["running"], kind: "even" }, limit)).ids).toEqual([name(0)])
        expect((yield* walk({ status: ["running"], kind: "odd" }, limit)).ids).toEqual([])
        expect((yield* walk({ status: ["completed"], source: "s1" }, limit)).ids).toEqual([name(1)])
        expect((yield* walk({ status: ["pending"], kind: "odd", source: "s1" }, limit)).ids).toEqual(
          newestFirst(24, (n) => n > 1 && !even(n) && !third(n))
        )
      }
    })
  )

  check(
    "merges several statuses into one order, each named twice or not",
    Effect.gen(function* () {
      const store = yield* Store
      yield* fill(20)
      for (const index of [3, 4, 9, 15])
        yield* store.tasks.cancel(taskId(name(index)), Option.none(), stampAt(99))
      yield* claimed("r1")
      const status: ReadonlyArray<TaskStatus> = ["operator_canceled", "running", "pending", "pending"]
      for (const limit of [1, 3, 50]) {
        expect((yield* walk({ status }, limit)).ids).toEqual(newestFirst(20))
        expect((yield* walk({ status: ["operator_canceled", "running"] }, limit)).ids).toEqual(
          [15, 9, 4, 3, 0].map(name)
        )
        expect((yield* walk({ status, kind: "odd" }, limit)).ids).toEqual(newestFirst(20, (n) => n % 2 === 1))
      }
    })
  )

  check(
    "answers none for a cursor that it did not give",
    Effect.gen(function* () {
      const store = yield* Store
      yield* fill(2)
      const filter = { status: [], kind: Option.none(), source: Option.none() }
      const time = text(at(0)) ?? ""
      const id = messageId(1)
      const forged = [
        ["a"],
        ["2026", "x"],
        [time, "x"],
        [time, ""],
        ["2026-02-30T99:00:00.000Z", id],
        [`${time} `, id],
        [time, id, "more"],
        ["words", time, id]
      ]
      for (const after of ["", "x", "eyJhIjoxfQ", "WzEsMl0", ...forged.map(cursorOf)])
        expect(yield* store.tasks.list(filter, { limit: 1, after: Option.some(after) })).toEqual(
          Option.none()
        )
      // What is gone may have been given; what has another form is known by its row.
      for (const place of [
        [time, id],
        [time, name(0)]
      ])
        expect(
          Option.isSome(yield* store.tasks.list(filter, { limit: 1, after: Option.some(cursorOf(place)) }))
        ).toBe(true)
    })
  )

  check(
    "ends a page of two filters after 10,000 rows of one index and goes on from there",
    Effect.gen(function* () {
      const raw = yield* Raw
      // 25,000 of one kind and status, of which three (the newest, one in the middle, the oldest) have the source.
      yield* raw.run(`
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 24999)
        INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at,
          updated_at, available_at, lane, created_by_json)
        SELECT printf('t%05d', i), 'k', iif(i IN (0, 12000, 24999), 'rare', 'usual'), 5, '{}', 3, 'pending',
          strftime('%Y-%m-%dT%H:%M:%fZ', 1777446000 + i / 3, 'unixepoch'), 'x', 'x', '[null,null,0]', '{}' FROM n`)
      const rare = [24_999, 12_000, 0].map(name)
      const filters: Filters = { status: ["pending"], kind: "k" }
      expect((yield* walk({ kind: "k", source: "rare" }, 10)).ids).toEqual(rare)
      expect((yield* page(filters, 500)).partial).toBe(false)
      expect(yield* walk({ status: ["blocked"], kind: "k" }, 10)).toEqual({ ids: [], partial: 0 })
      yield* raw.run("UPDATE tasks SET status = 'completed' WHERE source = 'usual'")
      const done: Filters = { status: ["completed"], kind: "k" }
      expect((yield* page(done, 3)).tasks.map((task) => String(task.taskId))).toEqual(
        [24_998, 24_997, 24_996].map(name)
      )
      expect(yield* walk({ status: ["pending"], kind: "k" }, 10)).toEqual({ ids: rare, partial: 0 })
      // With more than 10,000 of the status elsewhere, its own index tells nothing: the kind's is walked.
      yield* raw.run(
        "UPDATE tasks SET kind = 'other', status = 'pending' WHERE task_id > 't12500' AND source = 'usual'"
      )
      const first = yield* page({ status: ["pending"], kind: "k" }, 10)
      expect(first.partial).toBe(true)
      expect(first.tasks.map((task) => String(task.taskId))).toEqual([24_999, 12_000].map(name))
      expect(yield* walk({ status: ["pending"], kind: "k" }, 10)).toEqual({ ids: rare, partial: 1 })
    }),
    30_000
  )
}
