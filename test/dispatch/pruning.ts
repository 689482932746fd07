import { afterAll, beforeAll, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DateTime, Effect, Layer, Logger, Option } from "effect"
import * as DiskEvidence from "../../layers/artifact/DiskEvidence.ts"
import * as FixedWorktrees from "../../layers/context/FixedWorktrees.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import type { ListedWorktree, WorktreeChanges } from "../../src/context/Worktrees.ts"
import { prune } from "../../src/dispatch/Prune.ts"
import { type TaskId, uuidV7 } from "../../src/domain/Ids.ts"
import { Store } from "../../src/store/Store.ts"
import { settings } from "../support/settings.ts"
import { add, at, claimed, complete, inMemory, Raw, settle, taskId } from "../support/store.ts"

interface Days {
  readonly completedDays?: number
  readonly eventDays?: number
  readonly artifactDays?: number
}

export const DAY = 24 * 3600

/** Has the store stand in its place since `seconds`, as if it had been made then. */
export const standsSince = (seconds: number) =>
  Effect.flatMap(Raw, (raw) =>
    raw.run("UPDATE schema_migrations SET applied_at = ?", DateTime.formatIso(at(seconds)))
  )

/**
 * Makes, for the tests of one file, a store in memory, an artifact root on disk, and what is kept how long. All of it
 * has happened a hundred days before the prune, and the store stands in its place since then.
 */
export const prunePlaces = () => {
  let folder = ""
  let count = 0
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-prune-"))
  })
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
  return (
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
      if (ageDays > 0) for (const one of [file, dirname(file)]) aged(one, ageDays)
    }
    const layers = Layer.mergeAll(
      Layer.provideMerge(Layer.effectDiscard(standsSince(0)), inMemory()),
      Layer.succeed(RuntimeConfig, settings({ retention })),
      FixedWorktrees.layer({ there: worktrees, changes }),
      DiskEvidence.layer({
        artifactDir: root,
        dbPath: join(root, "runtime.db"),
        stateDir: join(root, "state")
      }),
      Logger.remove(Logger.defaultLogger)
    )
    const files = () =>
      fs
        .readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        // What tells whose evidence it is, is none.
        .filter((path) => !path.startsWith("bundles/.databases/"))
        .sort()
    return { root, put, layers, files }
  }
}

/** As of a hundred days after everything has happened. */
export const pruned = (dryRun = false) => prune(at(100 * DAY), { dryRun })

/** As if nobody had touched it for so many days. */
export const aged = (path: string, days: number): void => {
  const then = at((100 - days) * DAY).epochMillis / 1000
  fs.utimesSync(path, then, then)
}

/** An id that is given so many days ago. */
export const idOf = (daysAgo: number, n: number): string =>
  uuidV7(at((100 - daysAgo) * DAY).epochMillis, n, new Uint8Array(10))

export const rows = (sql: string) =>
  Effect.flatMap(Raw, (raw) =>
    Effect.map(raw.run(sql), (found) => found.flatMap((row) => Object.values(row)))
  )

/** A task that is run to its end, with the rows and files of its evidence. */
export const done = (
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

export const nothing = {
  tasks: 0,
  attempts: 0,
  events: 0,
  runners: 0,
  fates: 0,
  bundles: 0,
  evidenceFolders: 0,
  litter: 0,
  litterLeft: 0,
  litterLeftAt: [],
  sharedWith: [],
  bytesFreed: 0,
  worktreesKept: [],
  problems: []
}
