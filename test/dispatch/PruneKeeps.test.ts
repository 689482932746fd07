import { describe, expect } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { DateTime, Effect, Option } from "effect"
import { noteDatabase, noteMoved } from "../../layers/artifact/Databases.ts"
import { type ListedWorktree, Worktrees } from "../../src/context/Worktrees.ts"
import { prune } from "../../src/dispatch/Prune.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { prune as operation } from "../../src/operate/Prune.ts"
import { it } from "../support/effect.ts"
import { actor, add, at, attemptId, claimed, Raw, taskId } from "../support/store.ts"
import { aged, DAY, done, idOf, pruned, prunePlaces, rows, standsSince } from "./pruning.ts"

const place = prunePlaces()

describe("evidence that another database may name", () => {
  it.live("stays when it is older than this one, is counted and told, and what is younger goes", () => {
    const { files, layers, put, root } = place({ completedDays: 30, artifactDays: 30, eventDays: 30 })
    const uuid = "0196a1b2-0000-4000-8000-000000000001"
    return Effect.gen(function* () {
      yield* standsSince(50 * DAY)
      put("adapter-runs/then/then/result.json", "1", 60)
      put("adapter-runs/now/now/result.json", "22", 40)
      put("bundles/2026-01-01/then.json", "{}", 60)
      put("bundles/2026-01-02/now.json", "{}", 40)
      // A copy is younger than what it is of, a clock may have been behind.
      put(`adapter-runs/${idOf(60, 1)}/${idOf(60, 2)}/result.json`, "1", 10)
      put(`adapter-runs/t/${idOf(40, 3)}/result.json`, "1", 60)
      put(`bundles/2026-01-03/${idOf(60, 4)}.prompt.txt`, "1", 10)
      put(`bundles/2026-01-03/${idOf(40, 5)}.prompt.txt`, "22", 10)
      put(`bundles/2026-01-01/.${uuid}.tmp`, "{", 60)
      for (const [name, days] of [
        ["empty then", 60],
        ["empty now", 40]
      ] as const) {
        const folder = join(root, `adapter-runs/${encodeURIComponent(name)}`)
        fs.mkdirSync(folder)
        aged(folder, days)
      }
      const expected = { litter: 5, litterLeft: 5, bytesFreed: 7 }
      const counted = yield* pruned(true)
      expect(counted).toMatchObject(expected)
      expect(counted.litterLeftAt.toSorted()).toEqual(
        [
          "adapter-runs/then/then",
          `adapter-runs/${idOf(60, 1)}/${idOf(60, 2)}`,
          `adapter-runs/t/${idOf(40, 3)}`,
          "bundles/2026-01-01/then.json",
          `bundles/2026-01-03/${idOf(60, 4)}.prompt.txt`
        ]
          .map((path) => join(root, path))
          .toSorted()
      )
      expect(yield* pruned()).toEqual(counted)
      expect(files().map((path) => join(root, path))).toEqual(
        counted.litterLeftAt
          .map((path) => (path.includes("/bundles/") ? path : `${path}/result.json`))
          .toSorted()
      )
      expect(fs.readdirSync(join(root, "adapter-runs"))).toContain("empty%20then")
      expect(fs.readdirSync(join(root, "adapter-runs"))).not.toContain("empty%20now")
      // However many there are, five are named.
      for (const name of ["a", "b"]) put(`bundles/2026-01-01/${name}.json`, "{}", 60)
      const more = yield* pruned()
      expect([more.litterLeft, more.litterLeftAt.length]).toEqual([7, 5])
    }).pipe(Effect.provide(layers))
  })

  it.live("is told by the operation, with where it lies and since when this database stands there", () => {
    const { layers, put, root } = place({})
    return Effect.gen(function* () {
      yield* standsSince(50 * DAY)
      for (let n = 0; n < 7; n++) put(`bundles/2026-01-01/${n}.json`, "{}", 60)
      const { litterLeft, note, ok } = yield* operation.run({ dryRun: false }, actor)
      expect({ litterLeft, ok }).toEqual({ litterLeft: 7, ok: true })
      expect(Option.getOrThrow(note)).toContain(`${root}/bundles/2026-01-01/`)
      expect(Option.getOrThrow(note)).toContain("2 more")
      expect(Option.getOrThrow(note)).toContain("(2026-06-18T07:00:00.000Z)")
    }).pipe(Effect.provide(layers))
  })

  it.live("stays when it lay there as a backup was put in the place by hand, whenever that was", () => {
    const { files, layers, put } = place({})
    return Effect.gen(function* () {
      const raw = yield* Raw
      yield* raw.run(
        "INSERT INTO backups (path, bytes, sha256, created_at) VALUES ('this file', 1, 'self:00', '')"
      )
      put("bundles/2026-01-01/a.json", "{}", 10)
      expect(yield* pruned(true)).toMatchObject({ litter: 0, litterLeft: 1 })
      expect(yield* rows("SELECT in_place_since FROM backups")).toEqual([null])
      expect(yield* pruned()).toMatchObject({ litter: 0, litterLeft: 1 })
      // It is known from now on.
      put("bundles/2026-01-01/b.json", "{}")
      const later = yield* prune(at(110 * DAY), { dryRun: false })
      expect(later).toMatchObject({ litterLeft: 1 })
      expect(files()).toContain("bundles/2026-01-01/a.json")
      expect(yield* rows("SELECT in_place_since FROM backups")).toEqual([DateTime.formatIso(at(100 * DAY))])
    }).pipe(Effect.provide(layers))
  })

  it.live("stays where another database keeps its evidence too, for as long as that one is there", () => {
    const { files, layers, put, root } = place({})
    const [own, other] = [join(root, "runtime.db"), join(root, "other.db")]
    return Effect.gen(function* () {
      put("bundles/2026-01-01/a.json", "{}", 60)
      fs.writeFileSync(other, "")
      for (const dbPath of [own, other]) noteDatabase({ artifactDir: root, dbPath })
      const { litter, litterLeft, note } = yield* operation.run({ dryRun: false }, actor)
      expect({ litter, litterLeft }).toEqual({ litter: 0, litterLeft: 1 })
      expect(Option.getOrThrow(note)).toContain(
        `another database keeps its evidence there too (${fs.realpathSync(other)}): give each an artifactDir of its own`
      )
      expect(files()).toContain("bundles/2026-01-01/a.json")
      // One that was moved is told of again by whatever it is opened by; where nothing lies nothing is told.
      const moved = join(root, "moved.db")
      fs.renameSync(other, moved)
      noteMoved({ artifactDir: root, dbPath: moved })
      noteMoved({ artifactDir: join(root, "none"), dbPath: moved })
      expect(yield* pruned()).toMatchObject({
        litter: 0,
        litterLeft: 1,
        sharedWith: [fs.realpathSync(moved)]
      })
      expect(fs.existsSync(join(root, "none"))).toBe(false)
      // One that is away may come back: it counts until somebody removes what tells of it.
      fs.rmSync(moved)
      const notes = join(root, "bundles/.databases")
      const away = yield* pruned()
      expect(away).toMatchObject({ litter: 0, litterLeft: 1 })
      expect(away.sharedWith.join()).toContain(`(not there now; remove ${notes}/`)
      for (const name of fs.readdirSync(notes)) fs.rmSync(join(notes, name))
      // What cannot be seen may be there: to remove what tells of it is no remedy.
      fs.symlinkSync("loop", join(root, "loop"))
      const unseen = join(root, "loop", "runtime.db")
      fs.writeFileSync(join(notes, "unseen"), `${unseen}\n`)
      expect((yield* pruned()).sharedWith).toEqual([
        `${unseen} (this user cannot see whether it is there: ELOOP)`
      ])
      for (const one of [join(notes, "unseen"), join(root, "loop")]) fs.rmSync(one)
      // What is no note is passed over: a pipe would be waited for.
      Bun.spawnSync(["mkfifo", join(notes, "pipe")])
      fs.mkdirSync(join(notes, "folder"))
      expect(yield* pruned()).toMatchObject({ litter: 1, litterLeft: 0, sharedWith: [] })
    }).pipe(Effect.provide(layers))
  })

  it.live("stays beside a worktree that is kept, until that is gone", () => {
    const { files, layers, put } = place({}, [
      {
        attemptId: attemptId("a"),
        taskId: taskId("t"),
        path: "/memory/worktrees/a",
        madeAt: at(0),
        state: "kept"
      }
    ])
    return Effect.gen(function* () {
      put("adapter-runs/t/a/workspace.diff", "+", 50)
      yield* standsSince(60 * DAY)
      expect(yield* pruned()).toMatchObject({ litter: 0, litterLeft: 1 })
      yield* standsSince(0)
      expect(yield* pruned()).toMatchObject({ litter: 0, worktreesKept: ["/memory/worktrees/a"] })
      expect(files()).toEqual(["adapter-runs/t/a/workspace.diff"])
      yield* (yield* Worktrees).remove(attemptId("a"))
      expect(yield* pruned()).toMatchObject({ litter: 1 })
      expect(files()).toEqual([])
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

  it.live("leaves those that are older than this database, whether or not there is work in them", () => {
    const there = [
      lying("worked", 60, "open"),
      lying("clean", 60, "open"),
      lying("kept", 60, "kept"),
      { ...lying("copied", 40, "open"), attemptId: attemptId(idOf(60, 1)) },
      lying("ours", 40, "open"),
      spent("spent")
    ]
    const { layers } = place({}, there, (task) => (task === taskId("worked") ? { commits: 1 } : {}))
    return Effect.gen(function* () {
      yield* standsSince(50 * DAY)
      const expected = {
        litter: 2,
        litterLeft: 3,
        litterLeftAt: ["worked-1", "clean-1", "copied-1"].map((name) => `/memory/worktrees/${name}`),
        ...kept("kept-1")
      }
      expect(yield* pruned(true)).toMatchObject(expected)
      expect(yield* pruned()).toMatchObject(expected)
      expect(yield* left).toEqual(["worked-1", "clean-1", "kept-1", "copied-1"])
      const list = yield* (yield* Worktrees).list
      expect(list.map(({ state }) => state)).toEqual(["open", "open", "kept", "open"])
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
