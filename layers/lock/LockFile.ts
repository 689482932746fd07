import * as fs from "node:fs"
import * as path from "node:path"
import { type DateTime, Option, Schema } from "effect"
import { type Holder, unknownHolder } from "../../src/dispatch/Lock.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { Time } from "../../src/domain/Time.ts"
import { ownedLike } from "../Ownership.ts"
import { oddAt, openPlain } from "../PlainOpen.ts"
import { codeOf } from "../SystemWord.ts"

const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants

const Note = Schema.parseJson(Schema.Struct({ runner_id: RunnerId, since: Time }))
const readNote = Schema.decodeUnknownOption(Note)
const writeNote = Schema.encodeSync(Note)

/** A lock file holds one short line, which begins like this. */
const BEGINNING = Buffer.from('{"runner_id":', "latin1")
const NOTE_BYTES = 4_096

/** What lies at the path of a lock is none of ours: it is neither taken nor written. */
export class NotOurs extends Error {}

const EXPECTED = `a file that is empty, holds a lock's record (${BEGINNING.toString()}…) or is called *.lock, or none`

const isMissing = (cause: unknown): boolean => codeOf(cause) === "ENOENT"

const start = (fd: number): Buffer => {
  const bytes = Buffer.alloc(NOTE_BYTES)
  return bytes.subarray(0, fs.readSync(fd, bytes, 0, NOTE_BYTES, 0))
}

/**
 * Whether nothing but a record of a lock is lost when the file is written. By its name a `.lock` is nothing else,
 * whatever another program has left in it: no lock is stale. Any other is judged by its beginning: whoever died while it
 * wrote has left a part of a record, and a power failure may leave zeros in the place of what was written last.
 */
const isOurs = (file: string, fd: number): boolean => {
  if (path.extname(file) === ".lock") return true
  if (fs.fstatSync(fd).size > NOTE_BYTES) return false
  const bytes = start(fd)
  const head = bytes.subarray(0, BEGINNING.length)
  return head.equals(BEGINNING.subarray(0, head.length)) || bytes.every((byte) => byte === 0)
}

const open = (file: string, flags: number): number => {
  try {
    return openPlain(file, flags)
  } catch (cause) {
    const odd = oddAt(codeOf(cause))
    throw odd === undefined ? cause : new NotOurs(`${odd}; expected ${EXPECTED}`)
  }
}

const ours = (file: string, fd: number): number => {
  if (isOurs(file, fd)) return fd
  fs.closeSync(fd)
  throw new NotOurs(`it holds something else, which is left as it is; expected ${EXPECTED}`)
}

/** Opens a lock file to hold it, made where there is none; throws `NotOurs`, or what the system says. */
export const openToHold = (file: string): number => {
  const fd = ours(file, open(file, O_RDWR | O_CREAT))
  // Nobody has held it yet.
  if (fs.fstatSync(fd).size === 0) ownedLike(file, path.dirname(file))
  return fd
}

/** Opens a lock file to look at it; undefined when nobody has ever held it. Throws as `openToHold`. */
export const openToLook = (file: string): number | undefined => {
  try {
    return ours(file, open(file, O_RDONLY))
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
}

/** Whether a path leads to an open file; true as well where it cannot be looked at. */
export const leadsTo = (file: string, fd: number): boolean => {
  try {
    const found = fs.lstatSync(file)
    const own = fs.fstatSync(fd)
    return found.ino === own.ino && found.dev === own.dev
  } catch (cause) {
    return !isMissing(cause)
  }
}

/** Who holds a lock, as its file tells. */
export const noteIn = (fd: number): Holder =>
  Option.match(readNote(start(fd).toString("utf8")), {
    onNone: () => unknownHolder,
    onSome: (note) => ({ runnerId: Option.some(note.runner_id), since: Option.some(note.since) })
  })

/** Writes who holds a lock into its file. */
export const tell = (fd: number, runnerId: RunnerId, since: DateTime.Utc): void => {
  fs.ftruncateSync(fd, 0)
  fs.writeSync(fd, `${writeNote({ runner_id: runnerId, since })}\n`, 0)
}
