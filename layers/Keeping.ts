import { Layer } from "effect"
import * as DiskEvidence from "./artifact/DiskEvidence.ts"
import * as GitWorktrees from "./context/GitWorktrees.ts"
import * as Host from "./Host.ts"
import * as KernelLock from "./lock/KernelLock.ts"
import { reading, settings, withSettings } from "./Reading.ts"
import * as DiskBackups from "./store/DiskBackups.ts"

/** Backups as files alone: for commands that need no configuration. */
export const backupFiles = DiskBackups.layer

/** What copies the store. */
export const keeping = (configPath: string) => Layer.provideMerge(DiskBackups.layer, reading(configPath))

/** What puts a backup in the store's place: all but the store, which may be damaged or lost. */
export const restoring = (configPath: string) =>
  Layer.mergeAll(DiskBackups.layer, KernelLock.layer, Host.runner).pipe(
    Layer.provideMerge(settings(configPath))
  )

/** What removes evidence as well. */
export const evidence = withSettings(DiskEvidence.layer)

/** What removes old records with their evidence. */
export const pruning = (configPath: string) =>
  Layer.provideMerge(Layer.merge(evidence, GitWorktrees.layer), reading(configPath))
