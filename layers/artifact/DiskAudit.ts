import { closeSync, constants, fstatSync, lstatSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Option, type Scope } from "effect"
import {
  Audit,
  type AuditFailed,
  type AuditFile,
  type AuditFolder,
  type AuditLog,
  type LogFile,
  MAX_STREAM_BYTES
} from "../../src/artifact/AuditFolder.ts"
import type { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import { held as holding } from "../Held.ts"
import { codeOf } from "../SystemWord.ts"
import { growth } from "./AuditGrowth.ts"
import { below, failed, inFolder, ours, type Place, placeOf, shownPath } from "./AuditPlace.ts"
import { readRange, sizeOf } from "./AuditReading.ts"
import { drop, publish, startFile, synced, type Written } from "./DiskFile.ts"
import { withRoom } from "./Room.ts"
import { makeTail } from "./Tail.ts"

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

// `wrote` hears of each part: a full disk may take the beginning of a chunk.
const writeAll = (fd: number, bytes: Uint8Array, wrote: (count: number) => void = () => undefined): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = writeSync(fd, bytes, done)
    wrote(count)
    done += count
  }
}

type Texts = ReadonlyArray<readonly [string, string]>

/** Starts all or none. */
const startAll = (folder: number, texts: Texts): ReadonlyArray<Written> => {
  const started: Array<Written> = []
  try {
    for (const [file, text] of texts) {
      const temporary = below(folder, `.${file}.${crypto.randomUUID()}.tmp`)
      started.push({ fd: startFile(temporary, text), temporary, path: below(folder, file) })
    }
    return started
  } catch (cause) {
    for (const { fd, temporary } of started) {
      closeSync(fd)
      drop(temporary)
    }
    throw cause
  }
}

/** The files have their names when it returns (new ones), and are on the disk when its promise is kept. */
const putInto = (folder: number, texts: Texts): Promise<void> => {
  const started = startAll(folder, texts)
  return publish(folder, started).finally(() => {
    for (const { fd } of started) closeSync(fd)
  })
}

/** An attempt's folder that is held open while the attempt uses it: finding it by its names costs a dozen calls. */
interface Held {
  readonly place: Place
  readonly folder: number
  readonly dev: number
  readonly ino: number
  /** What is on its way to the disk: the folder is not closed before. */
  readonly pending: Set<Promise<void>>
}

const hold = (place: Place): Held =>
  inFolder(place, true, (at) => {
    const folder = openSync(below(at, "."), O_RDONLY | O_DIRECTORY)
    const { dev, ino } = fstatSync(folder)
    return { place, folder, dev, ino, pending: new Set() }
  })

/** Whether the folder is still what its path leads to: an agent may have moved it, or put something in its place. */
const isThere = ({ dev, ino, place }: Held): boolean => {
  const found = lstatSync(place.path, { throwIfNoEntry: false })
  return found?.ino === ino && found.dev === dev
}

const putting = (held: Held, texts: Texts): Promise<void> => {
  if (isThere(held)) return putInto(held.folder, texts)
  const { folder } = hold(held.place)
  return putInto(folder, texts).finally(() => closeSync(folder))
}

// One promise, not a fiber for each file: it is on the way of every attempt, several times.
const begin = (held: Held) => (texts: Texts) => {
  const catching = (cause: unknown) => failed(shownPath(held.place, texts[0]?.[0]), cause)
  return withRoom(
    Effect.try({
      try: () => {
        const done = putting(held, texts)
        const settled = () => void held.pending.delete(done)
        held.pending.add(done)
        done.then(settled, settled)
        return Effect.uninterruptible(Effect.tryPromise({ try: () => done, catch: catching }))
      },
      catch: catching
    })
  )
}

const letGo = ({ folder, pending }: Held) => {
  const close = () => closeSync(folder)
  return pending.size === 0
    ? Effect.sync(close)
    : Effect.promise(() => Promise.allSettled(pending).then(close))
}

const openLog = (held: Held, file: string): number => {
  const open = (folder: number) =>
    ours(
      openSync(below(folder, file), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600),
      shownPath(held.place, file)
    )
  return isThere(held) ? open(held.folder) : inFolder(held.place, true, open)
}

const MARK = Buffer.from(`\n[agent-runtime: output beyond ${MAX_STREAM_BYTES} bytes is cut off here]\n`)

/** A log over an open descriptor. The first error of the disk ends the writing and is kept, never thrown. */
const writeLog = (fd: number, path: string) => {
  const tail = makeTail()
  let size = fstatSync(fd).size
  let cut = false
  let problem: Option.Option<AuditFailed> = Option.none()
  const guarded = (write: () => void): void => {
    if (Option.isSome(problem)) return
    try {
      write()
    } catch (cause) {
      problem = Option.some(failed(path, cause))
    }
  }
  const log: LogFile = {
    write: (chunk) => {
      tail.push(chunk)
      if (cut) return
      const part = chunk.subarray(0, Math.max(0, MAX_STREAM_BYTES - size))
      guarded(() =>
        writeAll(fd, part, (count) => {
          size += count
        })
      )
      if (part.length === chunk.length) return
      cut = true
      guarded(() => writeAll(fd, MARK))
    },
    size: () => size,
    tail: tail.text,
    truncated: () => cut,
    problem: () => problem
  }
  return log
}

const log =
  (held: Held) =>
  (file: AuditLog): Effect.Effect<LogFile, AuditFailed, Scope.Scope> =>
    holding(
      withRoom(
        Effect.try({
          try: () => {
            const fd = openLog(held, file)
            return { fd, began: fstatSync(fd).size, log: writeLog(fd, shownPath(held.place, file)) }
          },
          catch: (cause) => failed(shownPath(held.place, file), cause)
        })
      ),
      ({ began, fd, log }) =>
        // Most programs write nothing to stderr: what is as it was is not waited for.
        (log.size() === began
          ? Effect.void
          : Effect.tryPromise({ try: () => synced(fd), catch: codeOf })
        ).pipe(
          Effect.catchAll((code) =>
            Effect.logWarning(`${join(held.place.path, file)} could not be synced: ${code}`)
          ),
          Effect.zipRight(Effect.sync(() => closeSync(fd)))
        )
    ).pipe(Effect.map(({ log }) => log))

const make = (root: string): typeof Audit.Service => {
  const asking = <A>(
    taskId: TaskId,
    attemptId: AttemptId,
    file: AuditFile,
    ask: (place: Place) => A
  ): Effect.Effect<A, AuditFailed> => {
    const place = placeOf(root, taskId, attemptId)
    return Effect.try({ try: () => ask(place), catch: (cause) => failed(shownPath(place, file), cause) })
  }
  return {
    open: traced("Audit.open")((taskId, attemptId) => {
      const place = placeOf(root, taskId, attemptId)
      return holding(
        withRoom(Effect.try({ try: () => hold(place), catch: (cause) => failed(shownPath(place), cause) })),
        letGo
      ).pipe(
        Effect.map((held): AuditFolder => {
          const beginning = begin(held)
          const write = (texts: Texts) => Effect.uninterruptible(Effect.flatten(beginning(texts)))
          return {
            path: place.path,
            relativePath: shownPath(place),
            put: (file, text) => write([[file, text]]),
            putAll: (files) => write(Object.entries(files)),
            begin: (files) => beginning(Object.entries(files)),
            log: log(held)
          }
        })
      )
    }),
    read: traced("Audit.read")((taskId, attemptId, file, range) =>
      asking(taskId, attemptId, file, (place) => readRange(place, file, range))
    ),
    size: traced("Audit.size")((taskId, attemptId, file) =>
      asking(taskId, attemptId, file, (place) => sizeOf(place, file))
    ),
    growth: (taskId, attemptId, file) => growth(placeOf(root, taskId, attemptId), file)
  }
}

/**
 * Audit folders on disk below the artifact root, 0700 with files of 0600. An agent may write there as well:
 * links and other things that it put in the place of a folder or file are refused, never followed.
 */
export const layer = (artifactRoot: string): Layer.Layer<Audit> => Layer.succeed(Audit, make(artifactRoot))
