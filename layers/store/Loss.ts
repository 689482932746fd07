import type { Database } from "bun:sqlite"
import * as fs from "node:fs"
import * as path from "node:path"
import { Deferred, Effect, type Scope } from "effect"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { alsoNamed, hasCode, rescue } from "./Backups.ts"
import type { OpenOptions } from "./connection.ts"

/** A copy that could not be made (a full disk) is tried again after this. */
const BETWEEN_TRIES = "10 seconds"

/** SQLITE_FCNTL_HAS_MOVED: whether the path of a connection leads to another file than its own. */
const HAS_MOVED = 20

/** SQLITE_FCNTL_NULL_IO: a connection neither reads nor writes its file any more. */
const NULL_IO = 43

/** A file of a file system, whatever its names are. */
interface Identity {
  readonly dev: number
  readonly ino: number
}

/** What follows the name of a database in those of its files: itself, its journal, the index of that. */
const PARTS = ["", "-wal", "-shm"] as const

/**
 * The files of an open database, by PARTS. SQLite finds the second and third by the name of the first and removes them
 * when the last process closes it, so all three are the same for as long as one has it open: who is led to another of
 * them writes what the others do not see, and they write over it.
 */
type Files = ReadonlyArray<Identity | undefined>

/** Watches over the path of an open database. */
interface Watch {
  /** Why the store is lost, as far as that is known by now; costs nothing. */
  readonly known: () => StoreUnavailable | undefined
  /** The same after a look at the paths, for 3 microseconds each; the first that finds it lost saves what was recorded. */
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

/** What is at a path, where a link leads to; undefined when nothing is there; throws when that cannot be seen. */
const identityOf = (file: string): Identity | undefined => seen(fs.statSync, file)

/** The same of a link itself: SQLite follows none to a journal, and keeps it beside what a link to a database leads to. */
const entryOf = (file: string): Identity | undefined => seen(fs.lstatSync, file)

const seen = (
  stat: (file: string, how: { readonly throwIfNoEntry: false }) => Identity | undefined,
  file: string
): Identity | undefined => {
  try {
    return stat(file, { throwIfNoEntry: false })
  } catch (cause) {
    if (hasCode(cause, "ENOTDIR")) return undefined
    throw cause
  }
}

const filesOf = (file: string): Files => PARTS.map((part) => entryOf(file + part))

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

const isStill = (file: string, own: Identity | undefined): boolean => {
  if (own === undefined) return true
  const found = entryOf(file)
  return isSame(found, own) || (found?.dev === own.dev && isOpenAs(file))
}

/** Whether all files of a database are to be found by this name of it. */
const areAt = (file: string, own: Files): boolean => PARTS.every((part, at) => isStill(file + part, own[at]))

/** `split`: the file is there, but whoever opens it by its path from now on has another journal or index for it. */
type Fate = "removed" | "replaced" | "linked" | "split"

/** What has become of the path of an open file; undefined when it is as it was, or cannot be looked at. */
const fateOf = (file: string, configured: string, own: Files): Fate | undefined => {
  try {
    const isHere = PARTS.every((part, at) => own[at] === undefined || isSame(entryOf(file + part), own[at]))
    if (isHere && (configured === file || isSame(identityOf(configured), own[0]))) return undefined
    if (identityOf(configured) === undefined) return "removed"
    const place = fs.realpathSync(configured)
    if (areAt(place, own)) return undefined
    if (!isStill(place, own[0])) return "replaced"
    return isStill(file, own[0]) ? "split" : "linked"
  } catch {
    return undefined
  }
}

/** Whether a process that opened the database by its path has begun another journal or index for it. */
const othersBegan = (configured: string, own: Files): boolean => {
  try {
    const place = fs.realpathSync(configured)
    return PARTS.some((part, at) => entryOf(place + part) !== undefined && !isStill(place + part, own[at]))
  } catch {
    return true
  }
}

/**
 * Puts the journal of a lost database out of the way of whatever has or gets its name: SQLite would play it into that
 * one. The index goes first, for it is nothing without the journal.
 */
const putAside = (file: string, journal: Identity | undefined): void => {
  if (!isSame(entryOf(`${file}-wal`), journal)) return
  for (const suffix of ["-shm", "-wal"]) {
    if (entryOf(file + suffix) === undefined) continue
    alsoNamed(file + suffix, `${file}.lost${suffix}`)
    fs.unlinkSync(file + suffix)
  }
}

const words = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/**
 * Watches over the path of a database that was just opened, until its connections are closed. When another file is
 * there, or none, or its journal or the index of that is no more, nothing is written any more: it would go into a file
 * without a name, or be taken for a part of the new one. What was recorded is copied beside the path while it can still
 * be read, and `tell` is run, once.
 */
export const watchOver = (
  options: OpenOptions,
  writer: Database,
  tell: () => void
): Effect.Effect<Watch, StoreUnavailable, Scope.Scope> => {
  const { configured = options.filename, filename } = options
  if (filename === ":memory:") return Effect.succeed(nothingToLose)
  return Effect.gen(function* () {
    const found = yield* Deferred.make<void>()
    const own = filesOf(filename)
    const [database, journal, index] = own.map((one) => one !== undefined)
    if (!database || journal !== index || (hasMoved(writer) && !isOpenAs(filename)))
      return yield* new StoreUnavailable({
        path: configured,
        reason: "it was removed or replaced while it was opened",
        remedy: "try again"
      })
    const { close, ...watch } = make({ configured, filename, writer, tell, found, own })
    yield* Effect.addFinalizer(() => Effect.sync(close))
    return watch
  })
}

interface Opened {
  readonly filename: string
  readonly configured: string
  readonly writer: Database
  readonly tell: () => void
  readonly found: Deferred.Deferred<void>
  readonly own: Files
}

const make = ({ configured, filename, found, own, tell, writer }: Opened) => {
  let fate: Fate | undefined
  let saved: string | undefined
  let unsaved = ""

  const save = (): void => {
    try {
      // A link to it was turned: the file is where it was.
      if (areAt(filename, own)) saved = filename
      if (saved !== undefined) return
      if (fate === "replaced" || fate === "linked") putAside(filename, own[1])
      // Not within a transaction; that is over soon.
      if (writer.inTransaction) return
      saved = rescue(writer, filename)
      // Where it is still that of the file by this name, it is played into it by whoever opens that next.
      if (fate !== "split") putAside(filename, own[1])
    } catch (cause) {
      unsaved = words(cause)
    }
  }

  const error = (): StoreUnavailable =>
    new StoreUnavailable({
      path: configured,
      reason: `${fate === undefined ? "" : REASONS[fate]} while this process had it open; nothing more is written`,
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

  /**
   * To be run before the connections are closed. The last one takes its journal over into the file and removes what
   * has the name of that, unless it sees that the file has moved: a link, or a journal of others, it does not see.
   */
  const close = (): void => {
    if (!fs.existsSync(path.dirname(filename))) return
    if (look() === undefined || saved === filename || hasMoved(writer)) return
    if (othersBegan(configured, own)) writer.fileControl(NULL_IO, new Int32Array(2))
  }

  return {
    close,
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

const REASONS: Readonly<Record<Fate, string>> = {
  removed: "its file was removed, or moved away,",
  replaced: "another file was put in its place",
  linked: "it was moved, and a link to it was put in its place",
  split: "its journal (-wal), or the index of that (-shm), was removed or replaced"
}

const turned = (configured: string, filename: string): string =>
  `what was recorded until then is in ${filename}, as it was: turn the link ${configured} back to it, or start again to go on with what it leads to now`

const remedyOf = (fate: Fate | undefined, saved: string | undefined, unsaved: string): string => {
  if (saved === undefined)
    return `what was recorded could not be saved yet (${unsaved || "a transaction is open"}): leave this process running, a resident one tries again every 10 seconds`
  const restore = `agent-runtime restore --from ${saved}`
  if (fate === "removed") return `what was recorded is saved: ${restore}`
  const until = `what was recorded until then is saved in ${saved}`
  return fate === "replaced"
    ? `${until}: take it with ${restore}, or move it away to go on with the new file`
    : `${until}: start again; should the database lack any of it, that says so, and takes it with ${restore}`
}
