import * as fs from "node:fs"
import { Context, Effect, Layer, type Scope } from "effect"
import { KnownSecrets } from "../src/artifact/KnownSecrets.ts"
import type { ConfigInvalid, ConfigMissing } from "../src/config/ConfigError.ts"
import { RuntimeConfig, type Settings } from "../src/config/RuntimeConfig.ts"
import { RealPath } from "../src/context/RealPath.ts"
import { Lock } from "../src/dispatch/Lock.ts"
import { IdSource } from "../src/domain/Ids.ts"
import { Store } from "../src/store/Store.ts"
import type { StoreUnavailable } from "../src/store/StoreError.ts"
import { noteMoved } from "./artifact/Databases.ts"
import * as ConfigFile from "./config/ConfigFile.ts"
import { diskRealPath } from "./context/DiskRealPath.ts"
import { makeFolder } from "./Folders.ts"
import * as Host from "./Host.ts"
import * as KernelLock from "./lock/KernelLock.ts"
import * as SqlStore from "./store/SqlStore.ts"

// The lower two of the four live layers stand apart from Live.ts, so that a command that only reads loads
// nothing of what runs attempts. They are built in one step: every layer among layers costs a short command
// a millisecond (its place in the memo map, its scope, its finalizers), a sixth of `status` in all.

/** A layer made from the configuration. */
export const withSettings = <A, E, R>(make: (settings: Settings) => Layer.Layer<A, E, R>) =>
  Layer.unwrapEffect(Effect.map(RuntimeConfig, make))

/** The configuration alone: for commands that touch nothing else. */
export const settings = (configPath: string) => ConfigFile.layer(configPath)

/** Opens the store of a configuration, its folders made first; see `reading` for the reader. */
export const openStore = (
  config: Settings,
  ownReader = false
): Effect.Effect<Store["Type"], StoreUnavailable, Scope.Scope> =>
  Effect.zipRight(
    Effect.tap(Effect.forEach([config.stateDir, config.artifactDir], makeFolder, { discard: true }), () =>
      Effect.sync(() => noteMoved(config))
    ),
    SqlStore.open({ filename: config.dbPath, durability: config.durability, ownReader })
  )

// Nothing of it is loaded before somebody asks: most commands never do.
const knownSecrets = (config: Settings): Effect.Effect<KnownSecrets["Type"]> =>
  Effect.map(
    Effect.cached(
      Effect.flatMap(
        Effect.promise(() => import("./adapter/KnownSecrets.ts")),
        ({ make }) => make(config)
      )
    ),
    (made) => ({ redactor: Effect.flatMap(made, ({ redactor }) => redactor) })
  )

/**
 * What operators ask and queue with: the configuration, the store, who dispatches, new ids. A program that goes on
 * has a reader of its own, so that its reads do not wait for its writes; a short one opens in half the time without.
 */
export const reading = (
  configPath: string,
  ownReader = false
): Layer.Layer<
  RuntimeConfig | Store | Lock | IdSource | RealPath | KnownSecrets,
  ConfigInvalid | ConfigMissing | StoreUnavailable
> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const config = yield* ConfigFile.load(configPath)
      return Context.make(RuntimeConfig, config).pipe(
        Context.add(Store, yield* openStore(config, ownReader)),
        Context.add(Lock, yield* KernelLock.make),
        Context.add(IdSource, yield* Host.makeIds),
        Context.add(RealPath, diskRealPath),
        Context.add(KnownSecrets, yield* knownSecrets(config))
      )
    })
  )

/** What answers a question: one that has run out is dealt with as a dispatcher would. */
export const answering = (configPath: string) => Layer.merge(reading(configPath), Host.runner)

/** The configuration, and beside it the store where there is one: for what must make nothing by being asked. */
export const present = (
  configPath: string
): Layer.Layer<RuntimeConfig, ConfigInvalid | ConfigMissing | StoreUnavailable> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const config = yield* ConfigFile.load(configPath)
      const found = Context.make(RuntimeConfig, config)
      return fs.existsSync(config.dbPath) ? Context.add(found, Store, yield* openStore(config)) : found
    })
  )
