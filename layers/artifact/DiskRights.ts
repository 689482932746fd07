import { accessSync, constants, statSync } from "node:fs"
import { dirname } from "node:path"
import { Effect, Layer, Option } from "effect"
import { Rights } from "../../src/artifact/Rights.ts"
import { codeOf } from "../SystemWord.ts"

/** The rights of this process, as the kernel tells them. */
export const layer: Layer.Layer<Rights> = Layer.succeed(
  Rights,
  Rights.of({ problem: (path, kind) => Effect.sync(() => Option.fromNullable(problem(path, kind))) })
)

const problem = (path: string, kind: "folder" | "file"): string | undefined => {
  try {
    const found = statSync(path)
    if (kind === "folder" && !found.isDirectory()) return `${path} is not a folder`
    if (kind === "file" && !found.isFile()) return `${path} is not a file`
    accessSync(path, kind === "folder" ? constants.W_OK | constants.X_OK : constants.W_OK)
    return undefined
  } catch (cause) {
    const code = codeOf(cause)
    // Something on the way is no folder, or nothing is there yet: the place above says which.
    if ((code === "ENOENT" || code === "ENOTDIR") && dirname(path) !== path)
      return problem(dirname(path), "folder")
    return `${path} cannot be written (${code})`
  }
}
