import { type BigIntStats, lstatSync, realpathSync } from "node:fs"
import type { Observed } from "../../src/artifact/ArtifactStore.ts"
import { isAbsolute, join, parent } from "../../src/artifact/FilePath.ts"

/** Where an absolute path leads once symlinks are resolved, and what is there. */
export interface Surveyed {
  readonly realPath: string
  readonly observed: Observed | undefined
}

/** What is told of a path; `undefined` where that takes a closer look, at a loop of links or a folder that is closed. */
export type Survey = (path: string) => Surveyed | undefined

/** No limit of a file system is shorter, in UTF-16 units: what is longer is looked at as a whole. */
const MOST_PATH = 300
const MOST_NAME = 80

/**
 * Looks at many places for one piece of work, which is over before they change: each folder on the way is resolved
 * once, so that a place in it costs one call to the kernel, and one in a folder that is missing costs none.
 */
export const surveying = (): Survey => {
  const seen = new Map<string, Surveyed | undefined>()
  const survey: Survey = (path) => {
    if (path.length > MOST_PATH || !isAbsolute(path)) return undefined
    if (seen.has(path)) return seen.get(path)
    const found = lookAt(path, survey)
    seen.set(path, found)
    return found
  }
  return survey
}

const lookAt = (path: string, survey: Survey): Surveyed | undefined => {
  const name = path.slice(path.lastIndexOf("/") + 1)
  const folder = path === "/" ? ROOT : survey(parent(path))
  if (folder === undefined || name.length > MOST_NAME) return undefined
  const realPath = join(folder.realPath, name)
  if (folder.observed === undefined) return { realPath, observed: undefined }
  if (folder.observed.kind !== "folder") return undefined
  try {
    const found = lstatSync(realPath, { bigint: true, throwIfNoEntry: false })
    if (found === undefined) return { realPath, observed: undefined }
    // Where case does not tell names apart, the name that was given is not the one that the folder has.
    const observed =
      found.isSymbolicLink() || process.platform !== "linux" ? linked(realPath) : observedAs(realPath, found)
    return { realPath: observed.realPath, observed }
  } catch {
    return undefined
  }
}

const ROOT: Surveyed = { realPath: "/", observed: { kind: "folder", size: 0, changedAtMs: 0, realPath: "/" } }

const linked = (path: string): Observed => {
  const realPath = realpathSync.native(path)
  return observedAs(realPath, lstatSync(realPath, { bigint: true }))
}

/** What the kernel says of a path without symlinks. */
export const observedAs = (realPath: string, found: BigIntStats): Observed => ({
  kind: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other",
  size: Number(found.size),
  // Thousandths of a millisecond: what a double still holds of the kernel's nanoseconds.
  changedAtMs: Number(found.ctimeNs / 1000n) / 1000,
  realPath
})
