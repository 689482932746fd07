import {
  close,
  closeSync,
  constants,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { Effect, Layer, Option, type Scope } from "effect"
import {
  Audit,
  AuditFailed,
  type AuditFile,
  type AuditFolder,
  type AuditLog,
  type LogFile,
  MAX_STREAM_BYTES
} from "../../src/artifact/AuditFolder.ts"
import { auditSegments } from "./AuditPath.ts"
import { makeTail } from "./Tail.ts"

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)

const PLANTED = "something that is not ours (a link, a pipe, ...) lies in its place"
const WORDS: Readonly<Record<string, string>> = {
  ELOOP: PLANTED,
  ENOTDIR: PLANTED,
  ENXIO: PLANTED,
  EISDIR: PLANTED
}

const failed = (path: string, cause: unknown): AuditFailed =>
  cause instanceof AuditFailed
    ? cause
    : new AuditFailed({ path, reason: WORDS[codeOf(cause)] ?? codeOf(cause) })

// Node knows no openat(2): a name below an open folder is reached through the folder's descriptor, so that
// nothing can be put in the place of a folder between the look and the use.
const below = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`

const enter = (parent: number, name: string, make: boolean): number => {
  if (make)
    try {
      mkdirSync(below(parent, name), { mode: 0o700 })
    } catch (cause) {
      if (codeOf(cause) !== "EEXIST") throw cause
    }
  return openSync(below(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** Runs `use` with the attempt's folder open; links on the way below the root are refused. */
const inFolder = <A>(
  root: string,
  names: ReadonlyArray<string>,
  make: boolean,
  use: (folder: number) => A
): A => {
  if (make) mkdirSync(root, { recursive: true, mode: 0o700 })
  let folder = openSync(root, O_RDONLY | O_DIRECTORY)
  try {
    for (const name of names) {
      const next = enter(folder, name, make)
      closeSync(folder)
      folder = next
    }
    return use(folder)
  } finally {
    closeSync(folder)
  }
}

// A hard link or a pipe that was put there before is no file of ours.
const ours = (fd: number, path: string): number => {
  const stats = fstatSync(fd)
  if (stats.isFile() && stats.nlink === 1) return fd
  closeSync(fd)
  throw new AuditFailed({ path, reason: PLANTED })
}

const synced = (fd: number): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.async((resume) => fsync(fd, (error) => resume(error === null ? Effect.void : Effect.fail(error))))

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
    rmSync(below(folder, temporary), { force: true })
    throw cause
  }
}

interface Place {
  readonly root: string
  readonly names: ReadonlyArray<string>
  readonly path: string
}

const put = ({ root, names, path }: Place) =>
  Effect.fn("AuditFolder.put")((file: AuditFile, text: string) => {
    const temporary = `.${file}.${crypto.randomUUID()}.tmp`
    const write = Effect.acquireUseRelease(
      Effect.try(() => inFolder(root, names, true, (folder) => startFile(folder, temporary, text))),
      synced,
      (fd) => Effect.sync(() => closeSync(fd))
    )
    const publish = Effect.acquireUseRelease(
      Effect.try(() =>
        inFolder(root, names, false, (folder) => {
          renameSync(below(folder, temporary), below(folder, file))
          return openSync(below(folder, "."), O_RDONLY | O_DIRECTORY)
        })
      ),
      synced,
      (fd) => Effect.sync(() => closeSync(fd))
    )
    return Effect.zipRight(write, publish).pipe(
      Effect.mapError((cause) => failed(join(path, file), "error" in cause ? cause.error : cause)),
      Effect.uninterruptible
    )
  })

const openLog = ({ root, names, path }: Place, file: string): number =>
  inFolder(root, names, true, (folder) =>
    ours(
      openSync(below(folder, file), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600),
      join(path, file)
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
        try: () => openLog(place, file),
        catch: (cause) => failed(join(place.path, file), cause)
      }),
      (fd) =>
        synced(fd).pipe(
          Effect.catchAll((error) =>
            Effect.logWarning(`${join(place.path, file)} could not be synced: ${error.code}`)
          ),
          Effect.zipRight(Effect.async<void>((resume) => close(fd, () => resume(Effect.void))))
        )
    ).pipe(Effect.map((fd) => writeLog(fd, join(place.path, file))))

const readRange = (
  place: Place,
  file: AuditFile,
  range: { readonly offset: number; readonly most: number }
): Uint8Array => {
  try {
    return inFolder(place.root, place.names, false, (folder) => {
      const fd = ours(
        openSync(below(folder, file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
        join(place.path, file)
      )
      try {
        const left = Math.max(0, Math.min(range.most, fstatSync(fd).size - range.offset))
        const bytes = new Uint8Array(left)
        return bytes.subarray(0, left === 0 ? 0 : readSync(fd, bytes, 0, left, range.offset))
      } finally {
        closeSync(fd)
      }
    })
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return new Uint8Array(0)
    throw cause
  }
}

const make = (root: string): typeof Audit.Service => {
  const placeOf = (names: ReadonlyArray<string>): Place => ({ root, names, path: join(root, ...names) })
  return {
    open: Effect.fn("Audit.open")((taskId, attemptId) => {
      const place = placeOf(auditSegments(taskId, attemptId))
      return Effect.try({
        try: (): AuditFolder => {
          inFolder(root, place.names, true, () => undefined)
          return { path: place.path, relativePath: join(...place.names), put: put(place), log: log(place) }
        },
        catch: (cause) => failed(place.path, cause)
      })
    }),
    read: Effect.fn("Audit.read")((taskId, attemptId, file, range) => {
      const place = placeOf(auditSegments(taskId, attemptId))
      return Effect.try({
        try: () => readRange(place, file, range),
        catch: (cause) => failed(join(place.path, file), cause)
      })
    })
  }
}

/**
 * Audit folders on disk below the artifact root, 0700 with files of 0600. An agent may write there as well:
 * links and other things that it put in the place of a folder or file are refused, never followed.
 */
export const layer = (artifactRoot: string): Layer.Layer<Audit> => Layer.succeed(Audit, make(artifactRoot))
