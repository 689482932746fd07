import { readdirSync, readlinkSync } from "node:fs"
import { basename, dirname } from "node:path"
import { DateTime } from "effect"
import type { Removal, Removed } from "../../src/artifact/EvidenceFiles.ts"
import { codeOf } from "../SystemWord.ts"
import { bytesIn, entriesOf, namesIn, removeFile, removeTree, seenIn, within } from "./Removing.ts"

/** Where processes that die leave what they had not finished. */
export interface UnfinishedPlaces {
  readonly artifactDir: string
  readonly dbPath: string
  readonly stateDir: string
}

/** The names that DiskArtifacts and layers/adapter/EscapeRecord give to what they write. */
const HALF_WRITTEN = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/
/** The names that layers/store/Backups gives, with what SQLite keeps beside them. */
const NEW_DATABASE = /^\.new-\d+-[0-9a-f]{8}(-wal|-shm|-journal)?$/
/** The name that layers/http/AccessKeyFiles gives to a key that it makes. */
const NEW_KEY = /^http-session\.key\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/
/** The folders of layers/adopt/Original: of which process, and below what it copies. */
const ADOPTING = /^adopt-(\d+)-[0-9a-f]{8}$/

export const NOTHING: Removed = { entries: 0, bytes: 0 }

/** Whether it was touched so late that a removal leaves it alone. */
export const isYoung = (mtimeMs: number, { before }: Removal): boolean =>
  before !== undefined && mtimeMs >= DateTime.toEpochMillis(before)

/** Plain files of one folder whose names are wanted. */
const removeFiles = async (
  folder: number,
  isWanted: (name: string) => boolean,
  removal: Removal
): Promise<Removed> => {
  let [entries, bytes] = [0, 0]
  for await (const entry of entriesOf(folder)) {
    if (!entry.isFile() || !isWanted(entry.name)) continue
    const found = removeOne(folder, entry.name, removal)
    entries += found.entries
    bytes += found.bytes
  }
  return { entries, bytes }
}

/** A plain file of an open folder, by its name. */
export const removeOne = (folder: number, name: string, removal: Removal): Removed => {
  const found = seenIn(folder, name)
  if (found?.isFile() !== true || isYoung(found.mtimeMs, removal)) return NOTHING
  const bytes = removeFile(folder, name, removal.dryRun)
  return bytes === undefined ? NOTHING : { entries: 1, bytes }
}

/** Whether a process has something below a folder open; one that cannot be asked may have. */
const isAtWork = (pid: string, folder: string): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      linkOf(`/proc/${pid}/fd/${fd}`).startsWith(`${folder}/`)
    )
  } catch (cause) {
    return codeOf(cause) !== "ENOENT"
  }
}

/** Where a link of the kernel leads; nowhere when what is open was closed meanwhile. */
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

/** Copies of the original whose process is gone: one at work has the copy open for as long as it reads it. */
const removeAdopting = async (folder: number, removal: Removal): Promise<Removed> => {
  const here = linkOf(`/proc/self/fd/${folder}`)
  let [entries, bytes] = [0, 0]
  for await (const { name } of entriesOf(folder)) {
    const pid = ADOPTING.exec(name)?.[1]
    const found = pid === undefined ? undefined : seenIn(folder, name)
    if (pid === undefined || found?.isDirectory() !== true) continue
    if (isYoung(found.mtimeMs, removal) || isAtWork(pid, `${here}/${name}`)) continue
    const freed = await (removal.dryRun ? bytesIn(folder, name) : removeTree(folder, name))
    if (freed === undefined) continue
    entries++
    bytes += freed
  }
  return { entries, bytes }
}

/** Removes what processes that died have left half made, whatever there is of it. */
export const removeUnfinished = async (
  { artifactDir, dbPath, stateDir }: UnfinishedPlaces,
  removal: Removal
): Promise<Removed> => {
  const database = basename(dbPath)
  const files = (root: string, names: ReadonlyArray<string>, isWanted: (name: string) => boolean) =>
    within(root, names, (folder) => removeFiles(folder, isWanted, removal))
  const isHalfWritten = (name: string) => HALF_WRITTEN.test(name)
  const found: Array<Removed | undefined> = [
    await files(
      dirname(dbPath),
      [],
      (name) => name.startsWith(database) && NEW_DATABASE.test(name.slice(database.length))
    ),
    await within(stateDir, [], (folder) => removeAdopting(folder, removal)),
    await files(stateDir, [], (name) => NEW_KEY.test(name)),
    await files(stateDir, ["processes"], isHalfWritten),
    await files(artifactDir, [], isHalfWritten),
    await files(artifactDir, ["snapshots"], isHalfWritten)
  ]
  for await (const day of namesIn(artifactDir, ["bundles"], "folders"))
    found.push(await files(artifactDir, ["bundles", day], isHalfWritten))
  return {
    entries: found.reduce((sum, one) => sum + (one?.entries ?? 0), 0),
    bytes: found.reduce((sum, one) => sum + (one?.bytes ?? 0), 0)
  }
}
