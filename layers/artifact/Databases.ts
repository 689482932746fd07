import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { codeOf } from "../SystemWord.ts"

/** Where evidence lies, and the database that names it. */
export interface EvidencePlaces {
  readonly artifactDir: string
  readonly dbPath: string
}

/**
 * Below the artifact root: a file for each database that keeps its evidence there. Its first line is that one's path, its
 * second the number of its inode, by which one that was moved knows its old note.
 */
const FOLDER = join("bundles", ".databases")
const MOST_BYTES = 8_192

/** A database's path, the symlinks above it resolved; it need not exist. */
const realPath = (dbPath: string): string => {
  try {
    return join(realpathSync.native(dirname(dbPath)), basename(dbPath))
  } catch {
    return dbPath
  }
}

const inodeOf = (dbPath: string): string => `${statSync(dbPath, { throwIfNoEntry: false })?.ino ?? ""}`

/**
 * Has the artifact root tell whose evidence lies there: what one database does not name another one may. A root in which
 * that cannot be written has no new evidence either, and keeps nobody from work.
 */
export const noteDatabase = ({ artifactDir, dbPath }: EvidencePlaces): void => {
  try {
    const path = realPath(dbPath)
    const note = join(artifactDir, FOLDER, Bun.hash(path).toString(36))
    if (existsSync(note)) return
    mkdirSync(dirname(note), { recursive: true, mode: 0o700 })
    const inode = inodeOf(path)
    writeFileSync(note, `${path}\n${inode}\n`, { mode: 0o600 })
    for (const one of notesIn(dirname(note)))
      if (inode !== "" && one.inode === inode && !existsSync(one.path)) rmSync(one.note)
  } catch {
    // The next dispatcher tries again.
  }
}

/** The same where there is evidence already: a database that was moved is told of by whatever command comes first. */
export const noteMoved = (places: EvidencePlaces): void => {
  if (existsSync(join(places.artifactDir, FOLDER))) noteDatabase(places)
}

/** What others have put there is no note: a pipe is not waited for. */
const notesIn = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
    .filter((note) => (statSync(note, { throwIfNoEntry: false })?.size ?? MOST_BYTES) < MOST_BYTES)
    .map((note) => {
      const [path = "", inode = ""] = readFileSync(note, "utf8").split("\n")
      return { note, path, inode }
    })

const seenAs = (path: string, note: string): string => {
  try {
    statSync(path)
    return ""
  } catch (cause) {
    const code = codeOf(cause)
    return code === "ENOENT" || code === "ENOTDIR"
      ? ` (not there now; remove ${note} when it is gone for good)`
      : ` (this user cannot see whether it is there: ${code})`
  }
}

/**
 * The other databases that keep evidence in the same artifact root, in words. One that is not there now may be on a disk
 * that is away, and counts until an operator says that it is gone.
 */
export const otherDatabases = ({ artifactDir, dbPath }: EvidencePlaces): ReadonlyArray<string> => {
  const folder = join(artifactDir, FOLDER)
  if (!existsSync(folder)) return []
  const own = realPath(dbPath)
  return notesIn(folder)
    .filter(({ path }) => path !== own)
    .map(({ note, path }) => `${path}${seenAs(path, note)}`)
    .toSorted()
}
