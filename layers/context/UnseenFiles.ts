import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { codeOf } from "../SystemWord.ts"

/**
 * What git lists of no folder, whatever it holds: anything by the name of `.git` in a folder of tracked files, which may
 * be a repository with commits of its own, and folders that cannot be read. Names from `root`, of folders with a `/` at
 * their end. The `.git` of `root` is not among them, nor is what lies in the folders of `told`, which end with a `/`.
 */
export const unseenIn = (root: string, told: ReadonlySet<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async (signal) => {
    const found: Array<string> = []
    const waiting = [""]
    for (let folder = waiting.pop(); folder !== undefined && !signal.aborted; folder = waiting.pop()) {
      try {
        for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
          const name = `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`
          if (entry.name === ".git") {
            if (folder !== "") found.push(name)
          } else if (entry.isDirectory() && !told.has(name)) waiting.push(name)
        }
      } catch (cause) {
        if (codeOf(cause) !== "ENOENT") found.push(folder)
      }
    }
    return found
  })
