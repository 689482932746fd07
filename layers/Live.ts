import * as fs from "node:fs"
import { Effect, Layer } from "effect"
import { RuntimeConfig, type Settings } from "../src/config/RuntimeConfig.ts"
import { Store } from "../src/store/Store.ts"
import { StoreUnavailable } from "../src/store/StoreError.ts"
import { StoreProbe } from "../src/store/StoreProbe.ts"
import * as ConfiguredAdapters from "./adapter/ConfiguredAdapters.ts"
import * as LeftOvers from "./adapter/LeftOvers.ts"
import * as Process from "./adapter/Process.ts"
import * as ProcessTree from "./adapter/ProcessTree.ts"
import * as Subreaper from "./adapter/Subreaper.ts"
import * as DiskArtifacts from "./artifact/DiskArtifacts.ts"
import * as DiskAudit from "./artifact/DiskAudit.ts"
import * as ConfigFile from "./config/ConfigFile.ts"
import * as GitWorkspace from "./context/GitWorkspace.ts"
import * as Host from "./Host.ts"
import * as KernelLock from "./lock/KernelLock.ts"
import * as NoSchedules from "./schedule/NoSchedules.ts"
import * as SqlStore from "./store/SqlStore.ts"

const withSettings = <A, E, R>(make: (settings: Settings) => Layer.Layer<A, E, R>) =>
  Layer.unwrapEffect(Effect.map(RuntimeConfig, make))

/** The configuration alone: for commands that touch nothing else. */
export const settings = (configPath: string) => ConfigFile.layer(configPath)

const unusable = (folder: string) => (cause: unknown) =>
  new StoreUnavailable({
    path: folder,
    reason: `the folder cannot be made (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy: "check the path, the disk's space and the rights of the folder above it"
  })

// Made before anything is opened in them; existing folders keep their rights.
const folders = Layer.effectDiscard(
  Effect.flatMap(RuntimeConfig, ({ artifactDir, stateDir }) =>
    Effect.forEach(
      [stateDir, artifactDir],
      (folder) =>
        Effect.try({
          try: () => fs.mkdirSync(folder, { recursive: true, mode: 0o700 }),
          catch: unusable(folder)
        }),
      { discard: true }
    )
  )
)

const store = withSettings(({ dbPath, durability }) => SqlStore.file({ filename: dbPath, durability }))
const artifacts = withSettings(({ artifactDir }) =>
  Layer.merge(DiskArtifacts.layer(artifactDir), DiskAudit.layer(artifactDir))
)

/** What operators ask and queue with: store, lock, artifacts, this process's identity. */
export const reading = (configPath: string) =>
  Layer.mergeAll(store, artifacts, KernelLock.layer, Host.ids, Host.runner).pipe(
    Layer.provide(folders),
    Layer.provideMerge(settings(configPath))
  )

const processes = Process.layer.pipe(Layer.provide(ProcessTree.layer), Layer.provide(Subreaper.layer))

const adapters = ConfiguredAdapters.layer.pipe(Layer.provide(processes))

/** What looks at adapters and workspaces as well. */
export const working = (configPath: string) =>
  Layer.mergeAll(
    ConfiguredAdapters.layer.pipe(Layer.provide(processes)),
    GitWorkspace.layer,
    LeftOvers.layer
  ).pipe(Layer.provideMerge(reading(configPath)))

/** What runs attempts. */
export const dispatching = (configPath: string) => Layer.provideMerge(NoSchedules.layer, working(configPath))

/** What looks at everything and goes on when the store cannot be opened. */
export const looking = (configPath: string) => {
  const probe = Layer.effect(
    StoreProbe,
    Effect.map(Effect.context<RuntimeConfig>(), (context) =>
      StoreProbe.of({
        health: (deep) =>
          Effect.flatMap(Store, ({ maintenance }) => maintenance.health(deep)).pipe(
            Effect.provide(store.pipe(Layer.provide(folders))),
            Effect.provide(context)
          )
      })
    )
  )
  return Layer.mergeAll(probe, adapters, GitWorkspace.layer, Host.disk).pipe(
    Layer.provideMerge(settings(configPath))
  )
}
