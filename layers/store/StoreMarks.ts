import type { Database } from "bun:sqlite"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { APPLICATION_ID } from "./Backups.ts"
import { knownBackup } from "./KnownBackup.ts"

/** Why a file is not opened. */
export const refuse = (file: string, reason: string, remedy: string): StoreUnavailable =>
  new StoreUnavailable({ path: file, reason, remedy })

/**
 * A remedy, with the newest backup of a database. `anew` is what else may be done where none is known: to begin with an
 * empty queue is no remedy while there is one.
 */
export const orBackup = (file: string, remedy: string, anew = ""): string => {
  const known = knownBackup(file)
  return known === undefined ? `${remedy}${anew}; no backup of it is known` : `${remedy}; ${known}`
}

/** What marks a database as ours, and the schema that it has. */
export interface Marks {
  readonly applicationId: number
  readonly version: number
}

const pragma = (db: Database, name: string): number =>
  Number(db.query(`PRAGMA ${name}`).values()[0]?.[0] ?? 0)

/** The marks of an open database. */
export const marksOf = (db: Database): Marks => ({
  applicationId: pragma(db, "application_id"),
  version: pragma(db, "user_version")
})

/** Says why a database with these marks is not ours to open; undefined when it is. */
export const identity = (file: string, found: Marks, schemaVersion: number): StoreUnavailable | undefined => {
  if (found.applicationId !== APPLICATION_ID)
    return refuse(
      file,
      "it is a database of another program",
      orBackup(
        file,
        "name another dbPath; a database of the original runtime is taken over with: agent-runtime adopt --from FILE"
      )
    )
  if (found.version > schemaVersion)
    return refuse(
      file,
      `it was written by a newer agent-runtime (schema ${found.version}, this one knows ${schemaVersion})`,
      orBackup(file, "use the newer agent-runtime")
    )
  return undefined
}
