import type { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { Deferred, Effect } from "effect"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { alsoNamed, hasCode, rescue } from "./Backups.ts"
import type { OpenOptions } from "./connection.ts"

/** A copy that could not be made (a full disk) is tried again after this. */
const BETWEEN_TRIES = "10 seconds"

/** SQLITE_FCNTL_HAS_MOVED: whether the path of a connection leads to another file than its own. */
const HAS_MOVED = 20

/** A file of a file system, whatever its names are. */
interface Identity {
  readonly dev: number
  readonly ino: number
}

/** Watches over the path of an open database. */
interface Watch {
  /** Why the store is lost, as far as that is known by now; costs nothing. */
  readonly known: () => StoreUnavailable | undefined
  /** The same after a look at the path, for 3 microseconds; the first that finds it lost saves what was recorded. */
  readonly look: () => StoreUnavailable | undefined
  /** See Maintenance.here. */
  readonly here: Effect.Effect<void, StoreUnavailable>
  /** Maintenance.lost, for who sees to it that somebody looks now and then. */
  readonly lost: Effect.Effect<never, StoreUnavailable>
}

const nothingToLose: Watch = {
  known: () => undefined,
  look: () => undefined,
  here: Effect.void,
  lost: Effect.never
}

/** Undefined when nothing is there; throws when that cannot be seen. */
const identityOf = (file: string): Identity | undefined => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })
  } catch (cause) {
    if (hasCode(cause, "ENOTDIR")) return undefined
    throw cause
  }
}

const isSame = (a: Identity | undefined, b: Identity | undefined): boolean =>
  a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev

const hasMoved = (db: Database): boolean => {
  // The least that Bun passes on.
  const answer = new Int32Array(2)
  return db.fileControl(HAS_MOVED, answer) === 0 && answer[0] !== 0
}

/** Whether the kernel still knows an open file by this path: a file system may give files other numbers while they are open. */
const isOpenAs = (file: string): boolean => {
  try {
    return fs.readdirSync("/proc/self/fd").some((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`) === file
      } catch {
        return false
      }
    })
  } catch {
    return false
  }
}

/** What has become of the path of an open file; undefined when it is as it was, or cannot be looked at. */
const fateOf = (file: string, configured: string, own: Identity): "removed" | "replaced" | undefined => {
  try {
    const found = identityOf(configured)
    if (isSame(found, own)) return undefined
    if (found === undefined) return "removed"
    return found.dev === own.dev && fs.realpathSync(configured) === file && isOpenAs(file)
      ? undefined
      : "replaced"
  } catch {
    return undefined
  }
}

/**
 * Puts the journal of a lost database out of the way of whatever has or gets its name: SQLite would play it into that
 * one. The index goes first, for it is nothing without the journal.
 */
const putAside = (file: string, journal: Identity | undefined): void => {
  if (!isSame(identityOf(`${file}-wal`), journal)) return
  for (const suffix of ["-shm", "-wal"]) {
    if (identityOf(file + suffix) === undefined) continue
    alsoNamed(file + suffix, `${file}.lost${suffix}`)
    fs.unlinkSync(file + suffix)
  }
}

const words = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/**
 * Watches over the path of a database that was just opened. When another file is there, or none, nothing is written any
 * more: it would go into a file without a name, or be taken for a part of the new one. What was recorded is copied
 * beside the path while it can still be read, and `tell` is run, once.
 */
export const watchOver = (
  options: OpenOptions,
  writer: Database,
  tell: () => void
): Effect.Effect<Watch, StoreUnavailable> => {
  const { configured = options.filename, filename } = options
  if (filename === ":memory:") return Effect.succeed(nothingToLose)
  return Effect.gen(function* () {
    const found = yield* Deferred.make<void>()
    const own = identityOf(filename)
    if (own === undefined || (hasMoved(writer) && !isOpenAs(filename)))
      return yield* new StoreUnavailable({
        path: configured,
        reason: "it was removed or replaced while it was opened",
        remedy: "try again"
      })
    return make({ configured, filename, writer, tell, found, own, journal: identityOf(`${filename}-wal`) })
  })
}

interface Opened {
  readonly filename: string
  readonly configured: string
  readonly writer: Database
  readonly tell: () => void
  readonly found: Deferred.Deferred<void>
  readonly own: Identity
  readonly journal: Identity | undefined
}

const make = ({ configured, filename, found, journal, own, tell, writer }: Opened): Watch => {
  let fate: "removed" | "replaced" | undefined
  let saved: string | undefined
  let unsaved = ""

  const save = (): void => {
    try {
      // A link to it was turned: the file is where it was.
      if (!hasMoved(writer)) saved = filename
      if (saved !== undefined) return
      if (fate === "replaced") putAside(filename, journal)
      // Not within a transaction; that is over soon.
      if (writer.inTransaction) return
      saved = rescue(writer, filename)
      putAside(filename, journal)
    } catch (cause) {
      unsaved = words(cause)
    }
  }

  const error = (): StoreUnavailable =>
    new StoreUnavailable({
      path: configured,
      reason:
        fate === "removed"
          ? "its file was removed, or moved away, while this process had it open; nothing more is written"
          : "another file was put in its place while this process had it open; nothing more is written",
      remedy: saved === filename ? turned(configured, filename) : remedyOf(fate, saved, unsaved),
      isLost: true
    })

  const known = () => (fate === undefined ? undefined : error())

  const look = () => {
    if (fate !== undefined) return error()
    fate = fateOf(filename, configured, own)
    if (fate === undefined) return undefined
    save()
    // Who listens learns it by what it reads then.
    tell()
    Deferred.unsafeDone(found, Effect.void)
    return error()
  }

  return {
    known,
    look,
    here: Effect.suspend(() => look() ?? Effect.void),
    lost: Effect.gen(function* () {
      yield* Deferred.await(found)
      while (saved === undefined) {
        save()
        if (saved !== undefined) break
        const { reason, remedy } = error()
        yield* Effect.logError(`The store ${configured} is lost: ${reason}; ${remedy}`)
        yield* Effect.sleep(BETWEEN_TRIES)
      }
      const gone = error()
      yield* Effect.logError(`The store ${configured} is lost: ${gone.reason}; ${gone.remedy}`)
      return yield* gone
    })
  }
}

const turned = (configured: string, filename: string): string =>
  `what was recorded until then is in ${filename}, as it was: turn the link ${configured} back to it, or start again to go on with what it leads to now`

const remedyOf = (
  fate: "removed" | "replaced" | undefined,
  saved: string | undefined,
  unsaved: string
): string => {
  if (saved === undefined)
    return `what was recorded could not be saved yet (${unsaved || "a transaction is open"}): leave this process running, a resident one tries again every 10 seconds`
  return fate === "removed"
    ? `what was recorded is saved: agent-runtime restore --from ${saved}`
    : `what was recorded until then is saved in ${saved}: start again to go on with the new file, or take the saved one with agent-runtime restore --from ${saved}`
}
