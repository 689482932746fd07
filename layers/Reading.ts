import * as fs from "node:fs"
import { Effect, Layer } from "effect"
import { RuntimeConfig, type Settings } from "../src/config/RuntimeConfig.ts"
import { StoreUnavailable } from "../src/store/StoreError.ts"
import * as ConfigFile from "./config/ConfigFile.ts"
import * as Host from "./Host.ts"
import * as KernelLock from "./lock/KernelLock.ts"
import * as SqlStore from "./store/SqlStore.ts"

// The lower two of the four live layers stand apart from Live.ts, so that a command that only reads loads
// nothing of what runs attempts: it starts in half the time.

/** A layer made from the configuration. */
export const withSettings = <A, E, R>(make: (settings: Settings) => Layer.Layer<A, E, R>) =>
  Layer.unwrapEffect(Effect.map(RuntimeConfig, make))

/** The configuration alone: for commands that touch nothing else. */
export const settings = (configPath: string) => ConfigFile.layer(configPath)

const unusable = (folder: string) => (cause: unknown) =>
  new StoreUnavailable({
    path: folder,
    reason: `the folder cannot be made (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy: "check the path, the disk's space and the rights of the folder above it"
  })

/** Made before anything is opened in them; existing folders keep their rights. */
export const folders = Layer.effectDiscard(
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

/** The store of the configuration, its folders made first. */
export const store = withSettings(({ dbPath, durability }) =>
  SqlStore.file({ filename: dbPath, durability, ownReader: false })
).pipe(Layer.provide(folders))

/** What operators ask and queue with: the store, who dispatches, new ids. */
export const reading = (configPath: string) =>
  Layer.mergeAll(store, KernelLock.layer, Host.ids).pipe(Layer.provideMerge(settings(configPath)))
