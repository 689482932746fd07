import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"

/** Where evidence lies, and the database that names it. */
export interface EvidencePlaces {
  readonly artifactDir: string
  readonly dbPath: string
}

/** Below the artifact root: a file for each database that keeps its evidence there, which holds that one's path. */
const FOLDER = join("bundles", ".databases")

/** A database's path, the symlinks above it resolved; it need not exist. */
const realPath = (dbPath: string): string => {
  try {
    return join(realpathSync.native(dirname(dbPath)), basename(dbPath))
  } catch {
    return dbPath
  }
}

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
    writeFileSync(note, `${path}\n`, { mode: 0o600 })
  } catch {
    // The next dispatcher tries again.
  }
}

/** The same where there is evidence already: a database that was moved is told of by whatever command comes first. */
export const noteMoved = (places: EvidencePlaces): void => {
  if (existsSync(join(places.artifactDir, FOLDER))) noteDatabase(places)
}

/** The other databases that keep evidence in the same artifact root, as far as they are still there. */
export const otherDatabases = ({ artifactDir, dbPath }: EvidencePlaces): ReadonlyArray<string> => {
  const folder = join(artifactDir, FOLDER)
  if (!existsSync(folder)) return []
  const own = realPath(dbPath)
  const noted = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8").trimEnd())
  return noted.filter((path) => path !== own && existsSync(path)).toSorted()
}
