import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from "node:fs"
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
import { growth } from "./AuditGrowth.ts"
import { below, codeOf, failed, inFolder, ours, type Place, placeOf } from "./AuditPlace.ts"
import { readRange, sizeOf } from "./AuditReading.ts"
import { drop, synced } from "./DiskFile.ts"
import { makeTail } from "./Tail.ts"

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

// `wrote` hears of each part: a full disk may take the beginning of a chunk.
const writeAll = (fd: number, bytes: Uint8Array, wrote: (count: number) => void = () => undefined): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = writeSync(fd, bytes, done)
    wrote(count)
    done += count
  }
}

const startFile = (folder: number, temporary: string, text: string): number => {
  const fd = openSync(below(folder, temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeAll(fd, Buffer.from(text))
    return fd
  } catch (cause) {
    closeSync(fd)
    drop(below(folder, temporary))
    throw cause
  }
}

/** A file under a name that nobody reads, until it is on the disk. */
interface Started {
  readonly file: string
  readonly temporary: string
  readonly fd: number
}

const discard = (folder: number, started: ReadonlyArray<Started>): void => {
  for (const { temporary } of started) drop(below(folder, temporary))
}

/** Starts all or none. */
const startAll = (folder: number, texts: Texts): ReadonlyArray<Started> => {
  const started: Array<Started> = []
  try {
    for (const [file, text] of texts) {
      const temporary = `.${file}.${crypto.randomUUID()}.tmp`
      started.push({ file, temporary, fd: startFile(folder, temporary, text) })
    }
    return started
  } catch (cause) {
    for (const { fd } of started) closeSync(fd)
    discard(folder, started)
    throw cause
  }
}

type Texts = ReadonlyArray<readonly [string, string]>

// The texts first, then their names, each on the disk before the next step: together, because the disk takes as
// long for all as for one.
const publish = async (folder: number, texts: Texts): Promise<void> => {
  const started = startAll(folder, texts)
  try {
    // All of them, also after a fault: a descriptor that is being synced must not be closed.
    const ends = await Promise.allSettled(started.map(({ fd }) => synced(fd)))
    for (const end of ends) if (end.status === "rejected") throw end.reason
    for (const { file, temporary } of started) renameSync(below(folder, temporary), below(folder, file))
  } catch (cause) {
    discard(folder, started)
    throw cause
  } finally {
    for (const { fd } of started) closeSync(fd)
  }
  await synced(folder)
}

// One promise, not a fiber for each file: it is on the way of every attempt, several times.
const put = (place: Place) => (texts: Texts) =>
  Effect.tryPromise({
    try: async () => {
      const folder = inFolder(place, true, (at) => openSync(below(at, "."), O_RDONLY | O_DIRECTORY))
      try {
        await publish(folder, texts)
      } finally {
        closeSync(folder)
      }
    },
    catch: (cause) => failed(join(place.path, texts[0]?.[0] ?? ""), cause)
  }).pipe(Effect.uninterruptible)

const openLog = (place: Place, file: string): number =>
  inFolder(place, true, (folder) =>
    ours(
      openSync(below(folder, file), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600),
      join(place.path, file)
    )
  )

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
  (place: Place) =>
  (file: AuditLog): Effect.Effect<LogFile, AuditFailed, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.try({
        try: () => {
          const fd = openLog(place, file)
          return { fd, began: fstatSync(fd).size, log: writeLog(fd, join(place.path, file)) }
        },
        catch: (cause) => failed(join(place.path, file), cause)
      }),
      ({ began, fd, log }) =>
        // Most programs write nothing to stderr: what is as it was is not waited for.
        (log.size() === began
          ? Effect.void
          : Effect.tryPromise({ try: () => synced(fd), catch: codeOf })
        ).pipe(
          Effect.catchAll((code) =>
            Effect.logWarning(`${join(place.path, file)} could not be synced: ${code}`)
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
    return Effect.try({ try: () => ask(place), catch: (cause) => failed(join(place.path, file), cause) })
  }
  return {
    open: traced("Audit.open")((taskId, attemptId) => {
      const place = placeOf(root, taskId, attemptId)
      return Effect.try({
        try: (): AuditFolder => {
          inFolder(place, true, () => undefined)
          const write = put(place)
          return {
            path: place.path,
            relativePath: join(...place.names),
            put: (file, text) => write([[file, text]]),
            putAll: (files) => write(Object.entries(files)),
            log: log(place)
          }
        },
        catch: (cause) => failed(place.path, cause)
      })
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
