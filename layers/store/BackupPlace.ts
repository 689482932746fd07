import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { BackupFailed } from "../../src/store/BackupFiles.ts"
import { fullness } from "../Fullness.ts"
import { isFull } from "../SystemWord.ts"
import { hasCode, sync } from "./Backups.ts"
import { codeOf } from "./connection.ts"

/** What SQLite keeps beside a database. */
export const BESIDE = ["-wal", "-shm", "-journal"] as const

/** What an error of the file system or of SQLite means for a step of a backup that writes `file`. */
export const failed = (doing: string, cause: unknown, file: string): BackupFailed => {
  if (cause instanceof BackupFailed) return cause
  const code = codeOf(cause)
  const words = cause instanceof Error ? cause.message : String(cause)
  if (isFull(code)) {
    const { remedy, what } = fullness(code, file)
    return new BackupFailed({
      code: "disk_full",
      reason: `${doing}: ${what}`,
      remedy: `${remedy}; nothing was left half done`
    })
  }
  return new BackupFailed({
    code: "disk_failed",
    reason: `${doing}: ${words}${code === "" || words.includes(code) ? "" : ` (${code})`}`,
    remedy: "check the rights of the folder and the health of the disk; nothing was left half done"
  })
}

const refused = (reason: string, remedy: string, code: "path_refused" | "file_exists" = "path_refused") =>
  new BackupFailed({ code, reason, remedy })

const lies = (file: string): boolean => fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined

const folderOf = (to: string): string => {
  const folder = path.dirname(to)
  try {
    const real = fs.realpathSync(folder)
    if (fs.statSync(real).isDirectory()) return real
    throw refused(`${folder} is not a folder`, "name a file in a folder")
  } catch (cause) {
    if (cause instanceof BackupFailed) throw cause
    throw hasCode(cause, "ENOENT")
      ? refused(`there is no folder ${folder}`, `make it with: mkdir -p ${folder}`)
      : refused(`the folder ${folder} cannot be used (${codeOf(cause)})`, "name another one")
  }
}

/** Where a new backup may be put: its real path. Refuses what is there, and the names that SQLite uses. */
export const freePlace = (to: string, database: string): Effect.Effect<string, BackupFailed> =>
  Effect.try({
    try: () => {
      const place = path.join(folderOf(to), path.basename(to))
      const real = fs.realpathSync(database)
      if (place === real || place === path.resolve(database))
        throw refused(`${to} is the database itself`, "name another file")
      if (BESIDE.some((suffix) => place.endsWith(suffix) && lies(place.slice(0, -suffix.length))))
        throw refused(`${to} is where SQLite keeps the journal of a database`, "name another file")
      if (lies(place))
        throw refused(`${to} is there already`, "name a new file, or move that one away", "file_exists")
      return place
    },
    catch: (cause) => failed(`${to} cannot be used`, cause, to)
  })

/**
 * Gives a finished file its name, durably, unless something has that name by now. File systems without hard
 * links (exFAT) get a rename, which would replace what another process put there within that moment.
 */
export const publish = (unfinished: string, place: string): void => {
  try {
    fs.linkSync(unfinished, place)
    fs.unlinkSync(unfinished)
  } catch (cause) {
    if (hasCode(cause, "EEXIST") || lies(place))
      throw refused(`${place} is there already`, "name a new file, or move that one away", "file_exists")
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(cause))) throw cause
    fs.renameSync(unfinished, place)
  }
  sync(path.dirname(place))
}

/** Removes a file that was not finished and what SQLite kept beside it. */
export const discard = (unfinished: string): void => {
  for (const suffix of ["", ...BESIDE]) fs.rmSync(unfinished + suffix, { force: true })
}
