import { Effect, Layer } from "effect"
import { RuntimeConfig } from "../src/config/RuntimeConfig.ts"
import type { Store } from "../src/store/Store.ts"
import type { StoreUnavailable } from "../src/store/StoreError.ts"
import { StoreProbe } from "../src/store/StoreProbe.ts"
import * as ConfiguredAdapters from "./adapter/ConfiguredAdapters.ts"
import * as LeftOvers from "./adapter/LeftOvers.ts"
import * as Process from "./adapter/Process.ts"
import * as ProcessTree from "./adapter/ProcessTree.ts"
import * as Subreaper from "./adapter/Subreaper.ts"
import * as Original from "./adopt/Original.ts"
import { noteDatabase } from "./artifact/Databases.ts"
import * as DiskRights from "./artifact/DiskRights.ts"
import * as GitWorkspace from "./context/GitWorkspace.ts"
import * as GitWorktrees from "./context/GitWorktrees.ts"
import * as Host from "./Host.ts"
import * as HostFacts from "./HostFacts.ts"
import * as AccessKeyFiles from "./http/AccessKeyFiles.ts"
import { evidence } from "./Keeping.ts"
import * as KernelLock from "./lock/KernelLock.ts"
import * as RuntimeLog from "./log/RuntimeLog.ts"
import * as SystemdNotify from "./notify/SystemdNotify.ts"
import { fullSpeed } from "./Platform.ts"
import { openStore, settings, withSettings } from "./Reading.ts"
import { showing } from "./Showing.ts"
import * as RecurringSchedules from "./schedule/RecurringSchedules.ts"

const processes = Process.layer.pipe(Layer.provide(ProcessTree.layer), Layer.provide(Subreaper.layer))

const adapters = ConfiguredAdapters.layer.pipe(Layer.provide(processes))

/** What looks at adapters and workspaces as well. */
export const working = (configPath: string, ownReader = false) =>
  Layer.mergeAll(adapters, GitWorkspace.layer, GitWorktrees.layer, LeftOvers.layer, Host.runner).pipe(
    Layer.provideMerge(showing(configPath, ownReader))
  )

/** What takes over a database of the original runtime and puts back what that was running. */
export const adopting = (configPath: string) => Layer.provideMerge(Original.layer, working(configPath))

const log = withSettings(({ logDir }) => RuntimeLog.layer({ logDir }))

/** Who leaves evidence says first whose it is. */
const noted = Layer.effectDiscard(Effect.map(RuntimeConfig, noteDatabase))

/** What runs attempts; it keeps the log. */
export const dispatching = (configPath: string) =>
  Layer.mergeAll(RecurringSchedules.layer, log, noted).pipe(Layer.provideMerge(working(configPath)))

/** What dispatches until it is told to stop. */
export const resident = (configPath: string) =>
  Layer.mergeAll(
    RecurringSchedules.layer,
    SystemdNotify.layer,
    evidence,
    log,
    noted,
    Layer.effectDiscard(fullSpeed)
  ).pipe(Layer.provideMerge(working(configPath, true)))

/** What serves the LAN API until it is told to stop. */
export const serving = (configPath: string) =>
  Layer.mergeAll(RecurringSchedules.layer, AccessKeyFiles.layer, log, Layer.effectDiscard(fullSpeed)).pipe(
    Layer.provideMerge(working(configPath, true))
  )

/** What dispatches and serves in one process. */
export const both = (configPath: string) => Layer.provideMerge(AccessKeyFiles.layer, resident(configPath))

/** What looks at everything and goes on when the store cannot be opened. */
export const looking = (configPath: string) => {
  const probe = Layer.effect(
    StoreProbe,
    Effect.map(RuntimeConfig, (config) => {
      const looked = <A>(look: (store: Store["Type"]) => Effect.Effect<A, StoreUnavailable>) =>
        Effect.scoped(Effect.flatMap(openStore(config), look))
      return StoreProbe.of({
        health: (deep) => looked(({ maintenance }) => maintenance.health(deep)),
        cooldowns: (now) => looked(({ gates }) => gates.cooldowns(now)),
        lastOf: (ids) => looked(({ attempts }) => attempts.lastOf(ids)),
        look: looked
      })
    })
  )
  const host = Layer.mergeAll(Host.disk, DiskRights.layer, HostFacts.layer, KernelLock.layer, evidence)
  return Layer.mergeAll(probe, adapters, GitWorkspace.layer, GitWorktrees.layer, host).pipe(
    Layer.provideMerge(settings(configPath))
  )
}
