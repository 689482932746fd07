import { realpathSync } from "node:fs"
import { dirname } from "node:path"
import { Effect, Layer } from "effect"
import { RealPath } from "../../src/context/RealPath.ts"

/** The paths of this host's disks. In one step: a few system calls take less time than a turn of the loop. */
export const diskRealPath: RealPath["Type"] = RealPath.of({
  of: (path) => Effect.sync(() => resolved(path))
})

export const layer: Layer.Layer<RealPath> = Layer.succeed(RealPath, diskRealPath)

const resolved = (path: string): string => {
  for (let at = path; at !== "/"; at = dirname(at)) {
    try {
      return realpathSync(at) + path.slice(at.length)
    } catch {
      // Not there, or not to be looked at: the folder above it may be.
    }
  }
  return path
}
