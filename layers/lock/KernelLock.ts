import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, Layer, Option, Schema } from "effect"
import { type Holder, Lock, LockHeld, LockUnusable, unknownHolder } from "../../src/dispatch/Lock.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { now, Time } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { isTaken, NotCallable, take } from "./FileLock.ts"

const Note = Schema.parseJson(Schema.Struct({ runner_id: RunnerId, since: Time }))
const readNote = Schema.decodeUnknownOption(Note)
const writeNote = Schema.encodeSync(Note)

const MOST_TRIES = 1_000

/** A lock file holds one short line; garbage of any size in it is not read further than this. */
const NOTE_BYTES = 4_096

const unusable = (file: string, cause: unknown) =>
  new LockUnusable({
    path: file,
    reason: cause instanceof Error ? cause.message : String(cause),
    remedy:
      cause instanceof NotCallable
        ? "give this process more address space (ulimit -v, LimitAS=), and memory that it may run code in (no MemoryDenyWriteExecute=)"
        : "check that the path is a file in a folder that this user can write, or set another lockPath"
  })

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** Opens what is a file; undefined otherwise: a pipe or a device could stall whoever opens or reads it. */
const openFile = (file: string, flags: number): number | undefined => {
  const fd = fs.openSync(file, flags | fs.constants.O_NONBLOCK, 0o600)
  if (fs.fstatSync(fd).isFile()) return fd
  fs.closeSync(fd)
  return undefined
}

/** Opens a lock file to look at it; undefined when nobody has ever held it, as what is no file. */
const opened = (file: string): number | undefined => {
  try {
    return openFile(file, fs.constants.O_RDONLY)
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
}

/** The lock as the kernel keeps it, on a file. */
export const make: Effect.Effect<Lock["Type"]> = Effect.sync(() => {
  // A holder that let go between the two calls leaves it to be taken; a lock that nobody holds and that cannot
  // be taken either is none.
  const taken = (fd: number): boolean => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (take(fd)) return true
      if (isTaken(fd)) return false
    }
    throw new Error("the file system cannot lock files")
  }

  const noteIn = (fd: number): Holder => {
    const bytes = Buffer.alloc(NOTE_BYTES)
    const read = fs.readSync(fd, bytes, 0, NOTE_BYTES, 0)
    return Option.match(readNote(bytes.toString("utf8", 0, read)), {
      onNone: () => unknownHolder,
      onSome: (note) => ({ runnerId: Option.some(note.runner_id), since: Option.some(note.since) })
    })
  }

  const open = (file: string) =>
    Effect.acquireRelease(
      Effect.try({
        try: () => {
          fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
          const fd = openFile(file, fs.constants.O_RDWR | fs.constants.O_CREAT)
          if (fd === undefined) throw new Error("it is not a file")
          return fd
        },
        catch: (cause) => unusable(file, cause)
      }),
      // Closing releases the lock. The file stays: removing it would let two processes hold two files.
      (fd) => Effect.sync(() => fs.closeSync(fd))
    )

  const acquire = (file: string, runnerId: RunnerId) =>
    Effect.gen(function* () {
      const fd = yield* open(file)
      const since = yield* now
      yield* Effect.try({
        try: () => {
          if (!taken(fd)) throw new LockHeld({ path: file, runnerId: noteIn(fd).runnerId })
          fs.ftruncateSync(fd, 0)
          fs.writeSync(fd, `${writeNote({ runner_id: runnerId, since })}\n`, 0)
        },
        catch: (cause) => (cause instanceof LockHeld ? cause : unusable(file, cause))
      })
    })

  return Lock.of({
    hold: (file, runnerId) => (program) => Effect.scoped(Effect.zipRight(acquire(file, runnerId), program)),
    holder: traced("Lock.holder")((file) =>
      Effect.try({
        try: () => {
          const fd = opened(file)
          if (fd === undefined) return Option.none<Holder>()
          try {
            return isTaken(fd) ? Option.some(noteIn(fd)) : Option.none<Holder>()
          } finally {
            fs.closeSync(fd)
          }
        },
        catch: (cause) => unusable(file, cause)
      })
    )
  })
})

/** See `make`. */
export const layer: Layer.Layer<Lock> = Layer.effect(Lock, make)
