import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { Option, Schema } from "effect"
import { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { Time } from "../../src/domain/Time.ts"
import { wireStruct } from "../../src/domain/Wire.ts"
import { readPlainText } from "../config/PlainFile.ts"

/**
 * What is known of a worktree beside it, where its agent does not work: by this a later process finds, compares
 * and removes it. `making` is nothing that anybody worked in, `removing` nothing that anybody may look at; of `gone` the
 * folder is no longer there, and its entry in the repository is kept for what it has.
 */
export const WorktreeRecord = wireStruct({
  attemptId: AttemptId,
  taskId: TaskId,
  state: Schema.Literal("making", "ready", "kept", "gone", "removing"),
  madeAt: Time,
  /** The repository's `.git`, the entry of the worktree in it once there is one, and where its objects are. */
  commonDir: Schema.String,
  entry: Schema.NullOr(Schema.String),
  /** The number that the file system has for its folder, once it is made. */
  inode: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  objects: Schema.String,
  base: Schema.String,
  prefix: Schema.String
})
export type WorktreeRecord = typeof WorktreeRecord.Type

const decode = Schema.decodeUnknownOption(Schema.parseJson(WorktreeRecord))
const encode = Schema.encodeSync(Schema.parseJson(WorktreeRecord))

/** The places of one worktree. `side` holds its record, its index as it was made, and a repository of its own. */
export interface WorktreePlace {
  readonly folder: string
  readonly name: string
  readonly path: string
  readonly side: string
}

const SIDE = ".side"
const RECORD = "record.json"

/** Names that are not plain become their hash. */
const nameOf = (attemptId: string): string =>
  /^[\w-]{1,100}$/.test(attemptId)
    ? attemptId
    : new Bun.CryptoHasher("sha256").update(attemptId).digest("hex")

/** The folder that worktrees lie in, without symlinks, where it exists. */
const folderOf = (stateDir: string): string => {
  const folder = join(stateDir, "worktrees")
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}

const placeNamed = (stateDir: string, name: string): WorktreePlace => {
  const folder = folderOf(stateDir)
  return { folder, name, path: join(folder, name), side: join(folder, `${name}${SIDE}`) }
}

export const placeOf = (stateDir: string, attemptId: AttemptId): WorktreePlace =>
  placeNamed(stateDir, nameOf(attemptId))

/** Makes the folders of a worktree-to-be, all but its own. */
export const makePlace = (stateDir: string, attemptId: AttemptId): WorktreePlace => {
  mkdirSync(join(stateDir, "worktrees"), { recursive: true, mode: 0o700 })
  const place = placeOf(stateDir, attemptId)
  mkdirSync(place.side, { recursive: true, mode: 0o700 })
  return place
}

/** Writes a record atomically and durably. */
export const writeRecord = ({ side }: WorktreePlace, record: WorktreeRecord): void => {
  const temporary = join(side, `${RECORD}.${crypto.randomUUID()}.tmp`)
  const file = openSync(temporary, "wx", 0o600)
  try {
    writeSync(file, `${encode(record)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, join(side, RECORD))
}

/** None when there is no worktree of the attempt on record, or the record cannot be read. */
export const readRecord = ({ side }: WorktreePlace): Option.Option<WorktreeRecord> => {
  try {
    return decode(readPlainText(join(side, RECORD)))
  } catch {
    return Option.none()
  }
}

/** Every place on disk, also one without a record. */
export const placesIn = (stateDir: string): ReadonlyArray<WorktreePlace> => {
  try {
    return readdirSync(folderOf(stateDir))
      .filter((name) => name.endsWith(SIDE))
      .map((name) => placeNamed(stateDir, name.slice(0, -SIDE.length)))
  } catch {
    return []
  }
}
