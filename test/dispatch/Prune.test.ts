import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DateTime, Effect, Layer, Logger, Option } from "effect"
import * as DiskEvidence from "../../layers/artifact/DiskEvidence.ts"
import * as FixedWorktrees from "../../layers/context/FixedWorktrees.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { type ListedWorktree, type WorktreeChanges, Worktrees } from "../../src/context/Worktrees.ts"
import { prune } from "../../src/dispatch/Prune.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  complete,
  find,
  inMemory,
  messageId,
  Raw,
  settle,
  stampAt,
  taskId
} from "../support/store.ts"

let folder = ""
let count = 0

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-prune-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

interface Days {
  readonly completedDays?: number
  readonly eventDays?: number
  readonly artifactDays?: number
}

const DAY = 24 * 3600

/** A store in memory, an artifact root on disk, and what is kept how long. */
const place = (
  days: Days,
  worktrees: ReadonlyArray<ListedWorktree> = [],
  changes: (task: TaskId) => Partial<WorktreeChanges> = () => ({})
) => {
  const root = join(folder, `${count++}`)
  fs.mkdirSync(root)
  const retention = {
    completedDays: Option.fromNullable(days.completedDays),
    eventDays: Option.fromNullable(days.eventDays),
    artifactDays: Option.fromNullable(days.artifactDays)
  }
  const put = (path: string, text: string, ageDays = 0) => {
    const file = join(root, path)
    fs.mkdirSync(dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
    if (ageDays > 0) {
      const then = at(100 * DAY).epochMillis / 1000 - ageDays * DAY
      for (const one of [file, dirname(file)]) fs.utimesSync(one, then, then)
    }
  }
  const layers = Layer.mergeAll(
    inMemory(),
    Layer.succeed(RuntimeConfig, settings({ retention })),
    FixedWorktrees.layer({ there: worktrees, changes }),
    DiskEvidence.layer({ artifactDir: root, dbPath: join(root, "runtime.db") }),
    Logger.remove(Logger.defaultLogger)
  )
  const files = () =>
    fs
      .readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort()
  return { root, put, layers, files }
}

/** As of a hundred days after everything has happened. */
const pruned = (dryRun = false) => prune(at(100 * DAY), { dryRun })

const rows = (sql: string) =>
  Effect.flatMap(Raw, (raw) =>
    Effect.map(raw.run(sql), (found) => found.flatMap((row) => Object.values(row)))
  )

/** A task that is run to its end, with the rows and files of its evidence. */
const done = (
  name: string,
  put: (path: string, text: string) => void,
  wanted: Parameters<typeof add>[1] = {},
  seconds = 0
) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* add(name, wanted, seconds)
    const { task } = yield* claimed(`${name}-1`, seconds)
    expect(task.taskId).toBe(taskId(name))
    const runs = `adapter-runs/${name}/${name}-1`
    put(`${runs}/stdout.log`, "0123456789")
    put(`bundles/2026-04-29/${name}-b.json`, "{}\n")
    put(`bundles/2026-04-29/${name}-b.prompt.txt`, "?")
    const raw = yield* Raw
    yield* raw.run(
      "UPDATE attempts SET bundle_id = ?, bundle_hash = 'hash', stdout_path = ? WHERE attempt_id = ?",
      `${name}-b`,
      `${runs}/stdout.log`,
      `${name}-1`
    )
    yield* raw.run(
      `INSERT INTO bundles VALUES (?, ?, ?, 'hash', 1, 'lumen', 'local', 'script', NULL, 'inputs_frozen', ?, ?, ?)`,
      `${name}-b`,
      name,
      `${name}-1`,
      `bundles/2026-04-29/${name}-b.json`,
      `bundles/2026-04-29/${name}-b.prompt.txt`,
      DateTime.formatIso(at(seconds))
    )
    yield* settle(`${name}-1`, complete, seconds)
    return store
  })

const nothing = {
  tasks: 0,
  attempts: 0,
  events: 0,
  bundles: 0,
  evidenceFolders: 0,
  litter: 0,
  bytesFreed: 0,
  worktreesKept: [],
  problems: []
}

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
      const expected = { ...nothing, litter: 6, bytesFreed: 5 + 2 + 1 + 1 + 2 }
      expect(yield* pruned(true)).toEqual(expected)
      expect(files()).toEqual(before)
      expect(yield* pruned()).toMatchObject({ bytesFreed: 11, problems: [] })
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
})

describe("a prune and worktrees", () => {
  const lying = (name: string, daysAgo: number, state: "kept" | "open"): ListedWorktree => ({
    attemptId: attemptId(`${name}-1`),
    taskId: taskId(name),
    path: `/memory/worktrees/${name}-1`,
    madeAt: at((100 - daysAgo) * DAY),
    state
  })
  const spent = (name: string): ListedWorktree => ({
    attemptId: attemptId(`${name}-1`),
    path: `/memory/worktrees/${name}-1`,
    madeAt: at(0),
    state: "spent"
  })
  const left = Effect.flatMap(Worktrees, ({ list }) =>
    Effect.map(list, (all) => all.map((one) => one.path.slice("/memory/worktrees/".length)))
  )
  const kept = (...names: ReadonlyArray<string>) => ({
    worktreesKept: names.map((name) => `/memory/worktrees/${name}`)
  })

  it.live("leaves one with work in it, and all that tells of it, and says so before and afterwards", () => {
    const { files, layers, put } = place({ completedDays: 30, artifactDays: 30 }, [
      lying("done", 100, "kept")
    ])
    return Effect.gen(function* () {
      const raw = yield* Raw
      for (const name of ["parent", "done", "other"]) yield* done(name, put)
      yield* raw.run("UPDATE tasks SET parent_task_id = 'parent' WHERE task_id = 'done'")
      const expected = { tasks: 1, attempts: 1, evidenceFolders: 2, ...kept("done-1") }
      expect(yield* pruned(true)).toMatchObject(expected)
      expect(yield* pruned()).toMatchObject(expected)
      expect(yield* left).toEqual(["done-1"])
      expect(yield* rows("SELECT task_id FROM tasks ORDER BY task_id")).toEqual(["done", "parent"])
      expect(files()).toContain("adapter-runs/done/done-1/stdout.log")
      expect(files()).not.toContain("adapter-runs/parent/parent-1/stdout.log")
      // An operator has taken it away: what is left beside it goes with the rest.
      yield* (yield* Worktrees).remove(attemptId("done-1"))
      expect(yield* pruned()).toMatchObject({ tasks: 2, evidenceFolders: 1, ...kept() })
      expect(files()).toEqual([])
    }).pipe(Effect.provide(layers))
  })

  it.live("does not speak of one whose task is not over, or young", () => {
    const { layers, put } = place({ completedDays: 30 }, [
      lying("open", 100, "kept"),
      lying("young", 5, "kept")
    ])
    return Effect.gen(function* () {
      yield* add("open")
      yield* claimed("open-1")
      yield* done("young", put, {}, 95 * DAY)
      expect(yield* pruned()).toMatchObject({ tasks: 0, ...kept() })
      expect(yield* left).toEqual(["open-1", "young-1"])
    }).pipe(Effect.provide(layers))
  })

  it.live("takes what is left of those that are gone with their tasks", () => {
    const { layers, put } = place({ completedDays: 30 }, [spent("done")])
    return Effect.gen(function* () {
      yield* done("done", put)
      expect(yield* pruned()).toMatchObject({ tasks: 1, ...kept() })
      expect(yield* left).toEqual([])
    }).pipe(Effect.provide(layers))
  })

  it.live(
    "removes those that no row names a day after they were made, but where there is work in them",
    () => {
      const there = [
        lying("kept", 2, "kept"),
        lying("worked", 2, "open"),
        lying("broken", 2, "open"),
        lying("clean", 2, "open"),
        spent("spent"),
        lying("new", 0, "open")
      ]
      const changes = (task: TaskId) => {
        if (task === taskId("worked")) return { commits: 1 }
        return task === taskId("broken") ? { problem: Option.some("?") } : {}
      }
      const { layers } = place({}, there, changes)
      return Effect.gen(function* () {
        const expected = { litter: 2, ...kept("kept-1", "worked-1", "broken-1") }
        expect(yield* pruned(true)).toMatchObject(expected)
        expect(yield* left).toHaveLength(6)
        expect(yield* pruned()).toMatchObject(expected)
        expect(yield* left).toEqual(["kept-1", "worked-1", "broken-1", "new-1"])
        const list = yield* (yield* Worktrees).list
        expect(list.map(({ state }) => state)).toEqual(["kept", "kept", "kept", "open"])
      }).pipe(Effect.provide(layers))
    }
  )
})
