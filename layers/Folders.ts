import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { isNoRoom, ROOM_REMEDY } from "../src/domain/HostRoom.ts"
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

interface Why {
  readonly what: string
  readonly remedy: string
}

const unusable = (folder: string, cause: unknown): StoreUnavailable => {
  const blocked = inTheWay(folder)
  const barred = barring(folder)
  if (blocked === undefined && barred !== undefined)
    return new StoreUnavailable({
      path: folder,
      reason: `the folder cannot be reached: this user may not enter ${barred} (EACCES)`,
      remedy: `this user must be able to enter and write it: chmod u+rwx ${barred} (or chown it), or name another folder`
    })
  const { remedy, what } = blocked ?? wordsOf(codeOf(cause), cause)
  return new StoreUnavailable({ path: folder, reason: `the folder cannot be made: ${what}`, remedy })
}

const wordsOf = (code: string, cause: unknown): Why => {
  if (isNoRoom(code)) return { what: `the host has no room for it now (${code})`, remedy: ROOM_REMEDY }
  const words = WORDS[code]
  if (words !== undefined) return words
  return {
    what: cause instanceof Error ? cause.message : String(cause),
    remedy: "check the path, the disk's space and the rights of the folder above it"
  }
}

const WORDS: Readonly<Record<string, Why>> = {
  EROFS: {
    what: "the file system is mounted read-only (EROFS)",
    remedy: "mount it so that it can be written, or name another folder"
  },
  EACCES: {
    what: "this user may not write the folder above it (EACCES)",
    remedy: "give this user the right to write there, or make the folder for this user"
  },
  ENAMETOOLONG: {
    what: "its path is longer than the file system allows (ENAMETOOLONG)",
    remedy: "name another folder"
  },
  ENOSPC: { what: "the disk is full (ENOSPC)", remedy: "free some space and try again" }
}

/** The folder on the way to a path that this user may not enter: what is in it cannot even be looked at. */
const barring = (folder: string): string | undefined =>
  placesOf(path.dirname(folder)).find(
    (place) => wordUnless(() => fs.accessSync(place, fs.constants.X_OK)) === "EACCES"
  )

const wordUnless = (step: () => void): string => {
  try {
    step()
    return ""
  } catch (cause) {
    return codeOf(cause)
  }
}

/** What lies where a folder should be, in the path's first place where that is so, as far as this user may look. */
const inTheWay = (folder: string): Why | undefined => {
  for (const place of placesOf(folder)) {
    const found = foundAt(place, fs.statSync)
    const link = foundAt(place, fs.lstatSync)
    if (link === "absent" || link === "unknown") return undefined
    if (found === "absent" && link.isSymbolicLink())
      return {
        what: `${place} is a symbolic link to ${fs.readlinkSync(place)}, and nothing is there`,
        remedy: "make or mount what it leads to, or remove the link"
      }
    if (found instanceof fs.Stats && !found.isDirectory())
      return { what: `${place} is no folder`, remedy: "move it away, or name another folder" }
  }
  return undefined
}

/** A path and the folders above it, the outermost first. */
const placesOf = (place: string): ReadonlyArray<string> =>
  path.dirname(place) === place ? [place] : [...placesOf(path.dirname(place)), place]

/** `unknown` where this user may not look; a link that leads round in a circle leads nowhere. */
const foundAt = (place: string, look: (path: string) => fs.Stats): fs.Stats | "absent" | "unknown" => {
  try {
    return look(place)
  } catch (cause) {
    return ["ENOENT", "ELOOP"].includes(codeOf(cause)) ? "absent" : "unknown"
  }
}
