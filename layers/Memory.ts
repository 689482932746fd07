import type { Database } from "bun:sqlite"
import { Effect, Layer, Option } from "effect"
import { LeftOvers } from "../src/adapter/LeftOvers.ts"
import { KnownSecrets } from "../src/artifact/KnownSecrets.ts"
import { RuntimeConfig, type Settings } from "../src/config/RuntimeConfig.ts"
import { Runner } from "../src/dispatch/Runner.ts"
import { RunnerId } from "../src/domain/Ids.ts"
import { redactorOf } from "../src/domain/Redactor.ts"
import * as ScriptedAdapters from "./adapter/ScriptedAdapters.ts"
import * as MemoryArtifacts from "./artifact/MemoryArtifacts.ts"
import * as MemoryAudit from "./artifact/MemoryAudit.ts"
import * as FixedWorkspace from "./context/FixedWorkspace.ts"
import * as FixedWorktrees from "./context/FixedWorktrees.ts"
import * as Host from "./Host.ts"
import * as MemoryLock from "./lock/MemoryLock.ts"
import * as RecurringSchedules from "./schedule/RecurringSchedules.ts"
import * as SqlStore from "./store/SqlStore.ts"

export interface Scene {
  readonly settings: Settings
  /** What each adapter does, by id. */
  readonly adapters: Readonly<Record<string, ScriptedAdapters.Scripted>>
  readonly workspace?: FixedWorkspace.Fixed
  readonly worktrees?: FixedWorktrees.Fixed
  /** Secret values of the configuration. */
  readonly secrets?: ReadonlyArray<string>
  /** Runners beside this one whose processes live, as long as they are in it. */
  readonly living?: ReadonlySet<RunnerId>
  /** Those whose processes are seen to be gone. */
  readonly gone?: ReadonlySet<RunnerId>
  /** Processes that the boot sweep cannot end, by attempt id. */
  readonly survivors?: Readonly<Record<string, ReadonlyArray<string>>>
  /** The database of an earlier runtime that died; a fresh one where it is left out. */
  readonly database?: Database
}

/** The runner of a runtime in memory. */
export const RUNNER = RunnerId.make("memory:1:1970-01-01T00:00:00.000Z")

/** A runner of a runtime in memory, for which those in `living` live and those in `gone` do not. */
export const runnerOf = (
  runnerId: RunnerId,
  pid: number,
  living: ReadonlySet<RunnerId> = new Set(),
  gone: ReadonlySet<RunnerId> = new Set()
): Runner["Type"] => ({
  runnerId,
  host: "memory",
  pid,
  processMark: Option.none(),
  lives: (runner) => Effect.sync(() => living.has(runner.runnerId)),
  isGone: (runner) => Effect.sync(() => gone.has(runner.runnerId))
})

/** A whole runtime in memory, for tests: the programs are the real ones, time is whatever the Clock says. */
export const layer = (scene: Scene) => Layer.provideMerge(RecurringSchedules.layer, world(scene))

const world = (scene: Scene) =>
  Layer.mergeAll(
    scene.database === undefined ? SqlStore.memory : SqlStore.inherited(scene.database),
    MemoryLock.layer,
    MemoryArtifacts.layer,
    MemoryAudit.layer,
    FixedWorkspace.layer(scene.workspace),
    FixedWorkspace.realPaths(scene.workspace),
    FixedWorktrees.layer(scene.worktrees),
    ScriptedAdapters.layer(
      scene.adapters,
      Object.fromEntries([...scene.settings.adapters].filter(([id]) => id in scene.adapters))
    ),
    Host.ids,
    Layer.succeed(Runner, runnerOf(RUNNER, 1, scene.living, scene.gone)),
    Layer.succeed(LeftOvers, {
      sweep: ({ attemptId }) => Effect.succeed(scene.survivors?.[attemptId] ?? [])
    }),
    Layer.succeed(KnownSecrets, { redactor: Effect.succeed(redactorOf(scene.secrets ?? [])) }),
    Layer.succeed(RuntimeConfig, scene.settings)
  )
