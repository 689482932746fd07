import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { StoreUnavailable } from "../src/store/StoreError.ts"
import { codeOf } from "./SystemWord.ts"

/** Makes a folder and those above it, for this user alone; one that is there keeps its rights. */
export const makeFolder = (folder: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.asVoid(
    Effect.try({
      try: () => fs.mkdirSync(folder, { recursive: true, mode: 0o700 }),
      catch: (cause) => unusable(folder, cause)
    })
  )

const unusable = (folder: string, cause: unknown): StoreUnavailable => {
  const { remedy, what } = inTheWay(folder) ?? wordsOf(codeOf(cause), cause)
  return new StoreUnavailable({ path: folder, reason: `the folder cannot be made: ${what}`, remedy })
}

const wordsOf = (code: string, cause: unknown) => {
  const words = WORDS[code]
  if (words !== undefined) return words
  return {
    what: cause instanceof Error ? cause.message : String(cause),
    remedy: "check the path, the disk's space and the rights of the folder above it"
  }
}

const WORDS: Readonly<Record<string, { readonly what: string; readonly remedy: string }>> = {
  EROFS: {
    what: "the file system is mounted read-only (EROFS)",
    remedy: "mount it so that it can be written, or name another folder"
  },
  EACCES: {
    what: "this user may not write the folder above it (EACCES)",
    remedy: "give this user the right to write there, or make the folder for this user"
  },
  ENOSPC: { what: "the disk is full (ENOSPC)", remedy: "free some space and try again" }
}

/** What lies where a folder should be, in the path's first place where that is so. */
const inTheWay = (folder: string) => {
  for (const place of placesOf(folder)) {
    const link = fs.lstatSync(place, { throwIfNoEntry: false })
    if (link === undefined) return undefined
    const found = statOf(place)
    if (found === "absent" && link.isSymbolicLink())
      return {
        what: `${place} is a symbolic link to ${fs.readlinkSync(place)}, and nothing is there`,
        remedy: "make or mount what it leads to, or remove the link"
      }
    if (found === "other")
      return { what: `${place} is no folder`, remedy: "move it away, or name another folder" }
  }
  return undefined
}

/** A path and the folders above it, the outermost first. */
const placesOf = (place: string): ReadonlyArray<string> =>
  path.dirname(place) === place ? [place] : [...placesOf(path.dirname(place)), place]

const statOf = (place: string): "folder" | "other" | "absent" => {
  try {
    return fs.statSync(place).isDirectory() ? "folder" : "other"
  } catch {
    return "absent"
  }
}
