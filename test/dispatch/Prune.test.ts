import { describe, expect } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { DateTime, Effect, Option } from "effect"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  find,
  messageId,
  Raw,
  settle,
  stampAt,
  taskId
} from "../support/store.ts"
import { aged, DAY, done, nothing, pruned, prunePlaces, rows } from "./pruning.ts"

const place = prunePlaces()

describe("a prune of tasks", () => {
  it.live("removes what ended before its days with all that belongs to it, and counts before it does", () => {
    const { files, layers, put } = place({ completedDays: 30 })
    return Effect.gen(function* () {
      yield* done("old", put)
      yield* done("young", put, {}, 80 * DAY)
      yield* add("waiting", { due: 200 * DAY })
      put("product.md", "what the agent made")
      const expected = { ...nothing, tasks: 1, attempts: 1, bundles: 1, evidenceFolders: 1, bytesFreed: 14 }
      const before = files()
      expect(yield* pruned(true)).toEqual(expected)
      expect(files()).toEqual(before)
      expect(yield* rows("SELECT count(*) FROM tasks")).toEqual([3])
      expect(yield* pruned()).toEqual(expected)
      expect(yield* rows("SELECT task_id FROM tasks ORDER BY task_id")).toEqual(["waiting", "young"])
      expect(yield* rows("SELECT attempt_id FROM attempts")).toEqual(["young-1"])
      expect(yield* rows("SELECT bundle_id FROM bundles")).toEqual(["young-b"])
      expect(files()).toEqual([
        "adapter-runs/young/young-1/stdout.log",
        "bundles/2026-04-29/young-b.json",
        "bundles/2026-04-29/young-b.prompt.txt",
        "product.md"
      ])
      const store = yield* Store
      expect((yield* store.maintenance.health(true)).problems).toEqual([])
      expect((yield* store.tasks.counts).completed).toBe(1)
      expect(yield* pruned()).toEqual(nothing)
    }).pipe(Effect.provide(layers))
  })

  it.live("leaves every task that something still needs", () => {
    const { layers, put } = place({ completedDays: 30 })
    const below = (parent: string) =>
      Option.some({ taskId: taskId(parent), generation: 1, rootTaskId: taskId(parent) })
    return Effect.gen(function* () {
      const raw = yield* Raw
      const store = yield* Store
      for (const name of ["parent", "grandparent", "scheduled", "messenger", "stated", "replayed", "gone"])
        yield* done(name, put)
      yield* done("child", put, { parent: below("grandparent") })
      yield* add("unfinished child", { parent: below("parent"), due: 200 * DAY })
      yield* add("unfinished grandchild", { parent: below("child"), due: 200 * DAY })
      yield* raw.run(
        `INSERT INTO schedules (schedule_id, name, interval_seconds, next_run_at, last_task_id, task_json, created_by_json, created_at, updated_at)
         VALUES ('s', 's', 60, ?, 'scheduled', '{}', '{}', '', '')`,
        DateTime.formatIso(at(0))
      )
      yield* store.outbox.add(
        { id: messageId(1), taskId: taskId("messenger"), attemptId: attemptId("messenger-1"), message: {} },
        stampAt(0)
      )
      yield* raw.run(
        `INSERT INTO workflows (id, template, instance_key, current_state, context_json, status, created_by_json, created_at, updated_at)
         VALUES (1, 't', 'k', 'later', '{}', 'active', '{}', '', '')`
      )
      yield* raw.run("UPDATE tasks SET workflow_id = 1, workflow_state = 'earlier' WHERE task_id = 'stated'")
      yield* add("replay", { source: "replay:replayed-1", due: 200 * DAY })
      yield* raw.run("UPDATE tasks SET replay_of = 'replayed-1' WHERE task_id = 'replay'")
      const left = () => rows("SELECT task_id FROM tasks ORDER BY task_id")
      expect(yield* pruned(true)).toMatchObject({ tasks: 1 })
      expect(yield* pruned()).toMatchObject({ tasks: 1, attempts: 1 })
      const needed = ["child", "grandparent", "messenger", "parent", "replayed", "scheduled", "stated"]
      expect((yield* left()).filter((id) => needed.includes(String(id)))).toEqual(needed)
      // When nothing needs them any more, they go as well.
      yield* raw.run("UPDATE schedules SET last_task_id = NULL")
      yield* raw.run("UPDATE outbox SET acked_at = '2026-04-30T00:00:00.000Z'")
      yield* raw.run("UPDATE workflows SET status = 'completed'")
      for (const name of ["unfinished child", "unfinished grandchild", "replay"])
        yield* store.tasks.cancel(taskId(name), Option.none(), stampAt(1))
      expect(yield* pruned()).toMatchObject({ tasks: 10, attempts: 7 })
      expect(yield* left()).toEqual([])
      expect((yield* store.maintenance.health(true)).problems).toEqual([])
    }).pipe(Effect.provide(layers))
  })

  it.live("takes a task's budgets with it, and leaves those of the day", () => {
    const { layers, put } = place({ completedDays: 30 })
    return Effect.gen(function* () {
      const store = yield* Store
      yield* done("gone", put)
      const account = { budgetId: "b", subject: "", windowStart: at(0) }
      const granted = { unit: "usd", amount: 1, opensAt: Option.none() } as const
      for (const task of [Option.some(taskId("gone")), Option.none()])
        yield* store.budgets.grant({ ...account, taskId: task }, granted, stampAt(1))
      expect(yield* pruned()).toMatchObject({ tasks: 1 })
      expect(yield* rows("SELECT task_id FROM budgets")).toEqual([""])
    }).pipe(Effect.provide(layers))
  })

  it.live("never has an id of an event given again", () => {
    const { layers, put } = place({ completedDays: 1, eventDays: 1 })
    return Effect.gen(function* () {
      const store = yield* Store
      yield* done("old", put)
      const last = Number((yield* store.events.newest(1))[0]!.id)
      expect(yield* pruned()).toMatchObject({ tasks: 1, events: last })
      expect(yield* store.events.newest(10)).toEqual([])
      yield* add("new", {}, 99 * DAY)
      expect((yield* store.events.newest(10)).map(({ id }) => Number(id))).toEqual([last + 1])
    }).pipe(Effect.provide(layers))
  })
})

describe("a prune of what tells of the past alone", () => {
  it.live(
    "takes old runners that have ended and leave nothing open, and old fates but each schedule's last",
    () => {
      const { layers } = place({ eventDays: 30 })
      const iso = (day: number) => DateTime.formatIso(at(day * DAY))
      return Effect.gen(function* () {
        const raw = yield* Raw
        const runner = (id: string, ended: number | null) =>
          raw.run(
            `INSERT INTO runners (runner_id, host, pid, mode, lock_path, limits_json, started_at, ended_at)
          VALUES (?, 'h', 1, 'run-once', '/l', '{}', ?, ?)`,
            id,
            iso(0),
            ended === null ? null : iso(ended)
          )
        for (let n = 0; n < 600; n++) yield* runner(`old-${n}`, 1)
        yield* runner("alive", null)
        yield* runner("young", 90)
        yield* runner("left", 1)
        yield* add("open")
        yield* claimed("open-1")
        yield* raw.run("UPDATE attempts SET runner_id = 'left'")
        for (const [id, days] of [
          ["often", [1, 2, 90]],
          ["once", [1]]
        ] as const) {
          yield* raw.run(
            `INSERT INTO schedules (schedule_id, name, interval_seconds, next_run_at, task_json, created_by_json, created_at, updated_at)
          VALUES (?, ?, 60, ?, '{}', '{}', ?, ?)`,
            id,
            id,
            iso(99),
            iso(0),
            iso(0)
          )
          for (const day of days)
            yield* raw.run(
              `INSERT INTO schedule_fates (schedule_id, first_due_at, last_due_at, fate, evaluated_at)
            VALUES (?, ?, ?, 'fired', ?)`,
              id,
              iso(day),
              iso(day),
              iso(day)
            )
        }
        const expected = { runners: 600, fates: 2 }
        expect(yield* pruned(true)).toMatchObject(expected)
        expect(yield* rows("SELECT count(*) FROM runners")).toEqual([603])
        expect(yield* pruned()).toMatchObject(expected)
        expect(yield* rows("SELECT runner_id FROM runners ORDER BY runner_id")).toEqual([
          "alive",
          "left",
          "young"
        ])
        expect(
          yield* rows("SELECT schedule_id || ' ' || evaluated_at FROM schedule_fates ORDER BY id")
        ).toEqual([`often ${iso(90)}`, `once ${iso(1)}`])
        expect(yield* pruned()).toMatchObject({ runners: 0, fates: 0 })
      }).pipe(Effect.provide(layers))
    }
  )
})

describe("a prune of events", () => {
  it.live("goes from the old end to the first that is not older, however many there are", () => {
    const { layers } = place({ eventDays: 30 })
    return Effect.gen(function* () {
      const store = yield* Store
      for (let index = 0; index < 1_201; index++) yield* add(`t${index}`, {}, 0)
      yield* add("young", {}, 80 * DAY)
      yield* add("late clock", {}, 0)
      expect(yield* pruned(true)).toMatchObject({ events: 1_201 })
      expect(yield* pruned()).toMatchObject({ events: 1_201, tasks: 0 })
      expect((yield* store.events.newest(10)).map(({ taskId: id }) => Option.getOrNull(id))).toEqual([
        taskId("young"),
        taskId("late clock")
      ])
    }).pipe(Effect.provide(layers))
  })
})

describe("a prune of evidence", () => {
  it.live("removes the files of ended attempts and keeps their records", () => {
    const { files, layers, put } = place({ artifactDays: 30 })
    return Effect.gen(function* () {
      const store = yield* Store
      yield* done("old", put)
      yield* done("young", put, {}, 80 * DAY)
      yield* add("blocked")
      yield* claimed("blocked-1")
      put("adapter-runs/blocked/blocked-1/stdout.log", "why")
      yield* settle("blocked-1", { _tag: "Block", outcome: Option.none(), error: "?" })
      put("product.md", "what the agent made")
      const expected = { ...nothing, bundles: 1, evidenceFolders: 1, bytesFreed: 14 }
      expect(yield* pruned(true)).toEqual(expected)
      expect(yield* pruned()).toEqual(expected)
      expect(files()).toEqual([
        "adapter-runs/blocked/blocked-1/stdout.log",
        "adapter-runs/young/young-1/stdout.log",
        "bundles/2026-04-29/young-b.json",
        "bundles/2026-04-29/young-b.prompt.txt",
        "product.md"
      ])
      const attempt = Option.getOrThrow(yield* store.attempts.find(attemptId("old-1")))
      expect(attempt.stdoutPath).toEqual(Option.none())
      expect(attempt.bundleHash).toEqual(Option.some("hash"))
      expect((yield* find("old")).task.status).toBe("completed")
      expect(yield* pruned()).toEqual(nothing)
    }).pipe(Effect.provide(layers))
  })

  it.live("in a dry run counts a task's evidence once, whichever of its days are over", () => {
    const { layers, put } = place({ artifactDays: 30, completedDays: 30, eventDays: 30 })
    return Effect.gen(function* () {
      for (const name of ["a", "b", "c"]) yield* done(name, put)
      const counted = yield* pruned(true)
      expect(counted).toMatchObject({ tasks: 3, attempts: 3, bundles: 3, evidenceFolders: 3, bytesFreed: 42 })
      expect(yield* pruned()).toEqual(counted)
    }).pipe(Effect.provide(layers))
  })
})

describe("litter", () => {
  it.live("is swept after a day, without any retention, and what has a row never is", () => {
    const { files, layers, put, root } = place({})
    const uuid = "0196a1b2-0000-4000-8000-000000000001"
    return Effect.gen(function* () {
      yield* done("known", (path, text) => put(path, text, 50))
      for (const age of [2, 0.5]) {
        put(`adapter-runs/ghost ${age}/ghost/stdout.log`, "12345", age)
        put(`adapter-runs/ghost%20${age}/ghost/stdout.log`, "12345", age)
        put(`bundles/2026-04-2${age === 2 ? 0 : 1}/ghost.json`, "{}", age)
        put(`bundles/2026-04-2${age === 2 ? 0 : 1}/.${uuid}.tmp`, "{", age)
        put(`snapshots${age}/.${uuid}.tmp`, "{", age)
      }
      put(`snapshots/.${uuid}.tmp`, "{", 2)
      put("runtime.db.new-12-0123abcd-wal", "x", 2)
      put("runtime.db.new-12-0123abcd", "x", 2)
      put("runtime.db.new-13-0123abcd", "x")
      put("runtime.db.backup-2026-04-29T07-00-00-000Z-v1", "x", 90)
      const before = files()
      fs.mkdirSync(join(root, "adapter-runs/empty"))
      aged(join(root, "adapter-runs/empty"), 2)
      aged(join(root, "adapter-runs/ghost%202"), 2)
      const expected = { ...nothing, litter: 7, bytesFreed: 5 + 2 + 1 + 1 + 2 }
      expect(yield* pruned(true)).toEqual(expected)
      expect(files()).toEqual(before)
      expect(yield* pruned()).toEqual(expected)
      // What was emptied was touched by that: it goes a day later.
      aged(join(root, "adapter-runs/ghost%202"), 2)
      expect(yield* pruned(true)).toEqual({ ...nothing, litter: 1 })
      expect(yield* pruned()).toEqual({ ...nothing, litter: 1 })
      expect(before.filter((path) => !files().includes(path))).toEqual([
        "adapter-runs/ghost%202/ghost/stdout.log",
        `bundles/2026-04-20/.${uuid}.tmp`,
        "bundles/2026-04-20/ghost.json",
        "runtime.db.new-12-0123abcd",
        "runtime.db.new-12-0123abcd-wal",
        `snapshots/.${uuid}.tmp`
      ])
      expect(fs.existsSync(join(root, "adapter-runs/ghost 2"))).toBe(true)
    }).pipe(Effect.provide(layers))
  })

  it.live("of the state folder is what processes that died had not finished, not what one has open", () => {
    const { files, layers, put, root } = place({})
    const uuid = "0196a1b2-0000-4000-8000-000000000001"
    const atWork = `state/adopt-${process.pid}-0123abce`
    return Effect.gen(function* () {
      put("state/adopt-12-0123abcd/0.db", "12345", 2)
      put("state/adopt-12-0123abcd/0.db-wal", "123", 2)
      put("state/adopt-13-0123abcd/0.db", "12345")
      put(`state/adopt-${process.pid}-0123abcd/0.db`, "12345", 2)
      put(`${atWork}/0.db`, "12345", 2)
      put("state/adopted/0.db", "12345", 2)
      put(`state/http-session.key.${uuid}.tmp`, "12", 2)
      put("state/http-session.key", "12", 2)
      put(`state/processes/.${uuid}.tmp`, "1", 2)
      put(`.${uuid}.tmp`, "1", 2)
      const copy = fs.openSync(join(root, atWork, "0.db"), "r")
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(copy)))
      const expected = { ...nothing, litter: 5, bytesFreed: 8 + 5 + 2 + 1 + 1 }
      const before = files()
      expect(yield* pruned(true)).toEqual(expected)
      expect(files()).toEqual(before)
      expect(yield* pruned()).toEqual(expected)
      expect(files()).toEqual(
        [
          "state/adopt-13-0123abcd/0.db",
          `${atWork}/0.db`,
          "state/adopted/0.db",
          "state/http-session.key"
        ].sort()
      )
    }).pipe(Effect.scoped, Effect.provide(layers))
  })
})
