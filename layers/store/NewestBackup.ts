import * as fs from "node:fs"
import * as path from "node:path"
import { Option, Schema } from "effect"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { ownedLike } from "../Ownership.ts"
import { sync, unfinishedName } from "./Backups.ts"

/** A line beside the database: what the database itself has on record cannot be read when it is damaged. */
const noteOf = (database: string): string => `${database}.newest-backup`

const MOST_BYTES = 16_384

const Note = onFirstUse(() =>
  Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ path: Schema.String })))
)

/** Notes beside a database where its newest backup is, instead of what was noted before. Throws what the system says. */
export const note = (database: string, backup: string): void => {
  const file = noteOf(database)
  const unfinished = unfinishedName(file)
  try {
    fs.writeFileSync(unfinished, `${JSON.stringify({ path: backup })}\n`, { flag: "wx", mode: 0o600 })
    ownedLike(unfinished, path.dirname(file))
    sync(unfinished)
    fs.renameSync(unfinished, file)
  } finally {
    fs.rmSync(unfinished, { force: true })
  }
}

/** Where the newest backup of a database is by the note beside it; undefined when there is none that can be read. */
export const noted = (database: string): string | undefined => {
  const file = noteOf(database)
  try {
    const found = fs.lstatSync(file, { throwIfNoEntry: false })
    if (found?.isFile() !== true || found.size > MOST_BYTES) return undefined
    return Option.getOrUndefined(Note()(fs.readFileSync(file, "utf8")))?.path
  } catch {
    return undefined
  }
}
