import { lstat, readdir } from "node:fs/promises"
import { Option } from "effect"
import type { Entry, FileList, Wanted } from "../../src/artifact/ArtifactStore.ts"
import { codeOf } from "../SystemWord.ts"

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

const unseen = (name: string): Entry => ({
  name,
  kind: "other",
  size: Option.none(),
  changedAtMs: Option.none()
})

/** A name of a folder; one that cannot be looked at is told all the same. */
const look = async (folder: string, name: string): Promise<Entry> => {
  try {
    const found = await lstat(`${folder}/${name}`, { bigint: true })
    return {
      name,
      kind: found.isFile()
        ? "file"
        : found.isDirectory()
          ? "folder"
          : found.isSymbolicLink()
            ? "link"
            : "other",
      size: Option.some(Number(found.size)),
      changedAtMs: Option.some(Number(found.ctimeNs / 1000n) / 1000)
    }
  } catch {
    return unseen(name)
  }
}

/** See ArtifactStore.entries; `folder` is absolute, its symlinks resolved. */
export const listEntries = async (
  folder: string,
  most: number
): Promise<{ readonly entries: ReadonlyArray<Entry>; readonly isWhole: boolean }> => {
  const names = (await readdir(folder)).filter((name) => !HALF_WRITTEN.test(name)).sort()
  const shown = names.slice(0, most)
  const entries: Array<Entry> = []
  // A few at once: a folder may hold thousands.
  for (let at = 0; at < shown.length; at += LOOKS_AT_ONCE)
    entries.push(
      ...(await Promise.all(shown.slice(at, at + LOOKS_AT_ONCE).map((name) => look(folder, name))))
    )
  return { entries, isWhole: shown.length === names.length }
}

const LOOKS_AT_ONCE = 64
