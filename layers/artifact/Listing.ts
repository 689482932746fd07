import { readdir } from "node:fs/promises"
import { Option } from "effect"
import type { FileList, Wanted } from "../../src/artifact/ArtifactStore.ts"
import { codeOf } from "./DiskFile.ts"

/** What `replace` in DiskArtifacts writes before it renames: no file yet. */
const HALF_WRITTEN = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** Paths in the order of their parts: what lies in a folder stands together, at the place of the folder's name. */
export const byParts = (a: string, b: string): number => {
  const [left, right] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")]
  return left < right ? -1 : left > right ? 1 : 0
}

interface Place {
  readonly path: string
  readonly isFolder: boolean
}

/** The names in a folder, in order; none that is left out, none where the folder is gone. */
const placesIn = async (root: string, folder: string, { leaveOut }: Wanted): Promise<Array<Place>> => {
  const prefix = folder === "" ? "" : `${folder}/`
  const entries = await readdir(`${root}/${folder}`, { withFileTypes: true }).catch((cause) => {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return []
    throw cause
  })
  return entries
    .filter((entry) => entry.isDirectory() || (entry.isFile() && !HALF_WRITTEN.test(entry.name)))
    .map((entry) => ({ path: `${prefix}${entry.name}`, isFolder: entry.isDirectory() }))
    .filter(({ path }) => !leaveOut.includes(path))
    .sort((a, b) => byParts(a.path, b.path))
}

/** See ArtifactStore.files; `folder` is relative to `root`, both with their symlinks resolved. */
export const listFiles = async (
  root: string,
  folder: string,
  wanted: Wanted,
  signal: AbortSignal
): Promise<FileList> => {
  const paths: Array<string> = []
  const toVisit: Array<Place> = [{ path: folder, isFolder: true }]
  let total = 0
  let isWhole = true
  for (let place = toVisit.pop(); place !== undefined && !signal.aborted; place = toVisit.pop()) {
    if (!place.isFolder) {
      total++
      if (paths.length < wanted.most) paths.push(place.path)
      continue
    }
    try {
      const inside = await placesIn(root, place.path, wanted)
      // The last of the stack is visited next.
      const next = wanted.descending ? inside : inside.reverse()
      for (const one of next) toVisit.push(one)
    } catch (cause) {
      if (place.path === folder) throw cause
      isWhole = false
    }
  }
  return { paths, total: isWhole ? Option.some(total) : Option.none() }
}
