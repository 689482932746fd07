import { isUtf8 } from "node:buffer"
import { close, fstat, fstatSync, open, read, readFileSync, write, writeSync } from "node:fs"
import { homedir } from "node:os"
import { Effect, Either, Option } from "effect"
import { absolute } from "../src/config/Paths.ts"
import { counted } from "../src/domain/Figure.ts"
import { codeOf } from "./SystemWord.ts"

type Content =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Unreadable"
      readonly why: "absent" | "folder" | "denied" | "too_large" | "failed"
      readonly detail: string
    }

type Written =
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Failed"; readonly code: string }

type Signal = "SIGINT" | "SIGTERM" | "SIGHUP"

const SIGNALS: ReadonlyArray<Signal> = ["SIGINT", "SIGTERM", "SIGHUP"]

/** A stream that is not ready (another process made the shared pipe non-blocking) is asked again after this. */
const NOT_READY = "5 millis"
const CHUNK = 256 * 1024
/** A stderr that stays full for so many tries loses the line: telling must not hold up the work. */
const REPORT_TRIES = 10_000

const FD_CLOEXEC = 0o2000000

/**
 * Whether stdout was closed when this process was started: Bun puts /dev/null in its place, and that alone is marked as
 * what no program inherits (proc_pid_fdinfo(5)). What is written there is told to nobody.
 */
const isClosed = (fd: number): boolean => {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0"
    return (Number.parseInt(flags, 8) & FD_CLOEXEC) !== 0
  } catch {
    return false
  }
}

// node:tty brings Node's streams along, which cost more than the whole of a short command: it is asked only
// about what may be a terminal.
const isTerminal = (fd: number): boolean => {
  try {
    const stat = fstatSync(fd)
    // Major number 1 is /dev/null and its like (Linux, admin-guide/devices.txt).
    const mayBe = stat.isCharacterDevice() && stat.rdev >> 8 !== 1
    return mayBe && process.getBuiltinModule("node:tty").isatty(fd)
  } catch {
    return false
  }
}

/** systemd names the stream that it gave to a unit by device and inode (systemd.exec(5), `JOURNAL_STREAM`). */
const isJournal = (fd: number, stream: string | undefined): boolean => {
  if (stream === undefined || stream === "") return false
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}

/**
 * The first word of the command line that is not UTF-8. Bun reads such bytes as U+FFFD, and what an operator meant would
 * be stored as something else; the kernel has the words as they were given (proc_pid_cmdline(5)).
 */
const garbled = (argv: ReadonlyArray<string>): Option.Option<string> => {
  if (!argv.some((word) => word.includes("\ufffd"))) return Option.none()
  const given = readFileSync("/proc/self/cmdline").toString("latin1").split("\0").slice(0, -1)
  const at = given.slice(-argv.length).findIndex((word) => !isUtf8(Buffer.from(word, "latin1")))
  return Option.fromNullable(argv[at])
}

// Taken out of `process` like this because the build replaces `process.stdout` (deploy/scripts/build.mjs).
const widthOfStdout = (): Option.Option<number> => {
  const { stdout } = process
  return Option.filter(Option.fromNullable(stdout.columns), (columns) => columns > 0)
}

/**
 * The surroundings of this process as they are now, in the terms of `src/cli/Terminal`. Streams are written
 * and read by system calls on the descriptors: Bun's streams lose the end of long output on exit.
 */
export const terminal = () => ({
  argv: process.argv.slice(2),
  garbled: garbled(process.argv.slice(2)),
  env: (name: string): Option.Option<string> =>
    Option.filter(Option.fromNullable(process.env[name]), (value) => value !== ""),
  stdinIsTerminal: isTerminal(0),
  stdoutIsTerminal: isTerminal(1),
  stderrIsTerminal: isTerminal(2),
  stderrIsJournal: isJournal(2, process.env.JOURNAL_STREAM),
  columns: isTerminal(1) ? widthOfStdout() : Option.none<number>(),
  write: (output: string | Uint8Array): Effect.Effect<Written> =>
    writeOut(typeof output === "string" ? Buffer.from(output, "utf8") : output),
  report,
  reportAside,
  readStdin: (limit: number): Effect.Effect<Content> => readAll(0, limit),
  readFile: (path: string, limit: number): Effect.Effect<Content> => readPath(path, limit),
  ...makeSignals()
})

/** The binary starts with its compiler held back, for short commands; this lets it compile (`Bun.unsafe`). */
export const fullSpeed = Effect.sync(() => Bun.unsafe.setJITPolicy(1))

/** One dispatch cycle is mostly over by then: compiling would be a third of its work. */
const SHORT = "2 seconds"

/** Runs the program of an entry point and ends the process with its exit code. */
export const launch = (program: Effect.Effect<number>): void => {
  // A umask that takes rights from the owner would make folders that their owner cannot enter.
  process.umask(process.umask() & 0o077)
  // Listeners for signals do not keep a process alive that waits for nothing else; Effect.never does.
  const beside = Effect.zipRight(Effect.delay(fullSpeed, SHORT), Effect.never)
  Effect.runPromise(Effect.raceFirst(program, beside)).then(
    (code) => process.exit(code),
    (defect: unknown) => {
      report(`internal fault: ${String(defect)}\n`)
      process.exit(1)
    }
  )
}

/** Signals in the order in which they come; one that nobody waits for ends the process, as if none were heard. */
const makeSignals = () => {
  const wanted: Array<((signal: Signal) => void) | undefined> = []
  let heard = 0
  const off = () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
  const listener = (signal: NodeJS.Signals) => {
    const known = SIGNALS.find((one) => one === signal)
    const tell = wanted[heard++]
    if (known !== undefined && tell !== undefined) return tell(known)
    off()
    process.kill(process.pid, signal)
  }
  const nth = (n: number): Effect.Effect<Signal> =>
    Effect.async((resume) => {
      if (wanted.length === 0) for (const signal of SIGNALS) process.on(signal, listener)
      wanted[n] = (signal) => resume(Effect.succeed(signal))
      return Effect.sync(() => {
        wanted[n] = undefined
        if (wanted.every((one) => one === undefined)) off()
      })
    })
  return { interrupted: nth(0), interruptedAgain: nth(1) }
}

/** One system call that answers a number, its error code as Left. */
const call = (
  start: (done: (error: NodeJS.ErrnoException | null, result: number) => void) => void
): Effect.Effect<Either.Either<number, string>> =>
  Effect.async((resume) => {
    start((error, result) =>
      resume(Effect.succeed(error === null ? Either.right(result) : Either.left(codeOf(error))))
    )
  })

const writeOut = (bytes: Uint8Array): Effect.Effect<Written> =>
  Effect.suspend(() =>
    bytes.length > 0 && isClosed(1)
      ? Effect.succeed({ _tag: "Failed" as const, code: "EBADF" })
      : writeAll(1, bytes)
  )

const writeAll = (fd: number, bytes: Uint8Array): Effect.Effect<Written> =>
  Effect.gen(function* () {
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(CHUNK, bytes.length - at)
      const wrote = yield* call((done) => write(fd, bytes, at, length, null, done))
      if (Either.isRight(wrote)) at += wrote.right
      else if (wrote.left === "EAGAIN") yield* Effect.sleep(NOT_READY)
      else if (wrote.left === "EPIPE") return { _tag: "Closed" }
      else if (wrote.left !== "EINTR") return { _tag: "Failed", code: wrote.left }
    }
    return { _tag: "Whole" }
  })

const report = (text: string): void => {
  const bytes = Buffer.from(text, "utf8")
  let tries = 0
  for (let at = 0; at < bytes.length && tries < REPORT_TRIES; ) {
    try {
      at += writeSync(2, bytes, at, bytes.length - at)
    } catch (error) {
      const code = codeOf(error)
      if (code !== "EAGAIN" && code !== "EINTR") return
      tries++
    }
  }
}

const isFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}

/**
 * A write to a pipe, a socket or a terminal lasts until somebody reads, so it is left to a thread of the pool: it has two
 * at least, and a process ends whatever they wait for. The descriptor cannot be made non-blocking instead, as others
 * have it too. A file has no reader that could stall.
 */
const reportAside = (missing: (texts: number) => Effect.Effect<string>) =>
  isFile(2)
    ? Effect.succeed({ report, ended: Effect.void })
    : Effect.flatMap(
        Effect.promise(() => import("./StderrQueue.ts")),
        ({ stderrQueue }) => stderrQueue((bytes) => writeAll(2, bytes), missing)
      )

const readAll = (fd: number, limit: number): Effect.Effect<Content> =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    let size = 0
    while (size <= limit) {
      const chunk = new Uint8Array(CHUNK)
      const got = yield* call((done) => read(fd, chunk, 0, CHUNK, null, done))
      if (Either.isLeft(got)) {
        if (got.left === "EAGAIN") yield* Effect.sleep(NOT_READY)
        else if (got.left !== "EINTR") return unreadable(got.left)
        continue
      }
      if (got.right === 0) return { _tag: "Bytes", bytes: Buffer.concat(chunks, size) }
      chunks.push(chunk.subarray(0, got.right))
      size += got.right
    }
    return { _tag: "Unreadable", why: "too_large", detail: `more than ${limit} bytes` }
  })

/** Opens a file to read. A pipe that nobody writes is waited for; whoever stops waiting leaves nothing open. */
const openToRead = (path: string): Effect.Effect<Either.Either<number, string>> =>
  Effect.async((resume) => {
    let isWaitedFor = true
    open(path, "r", (error, fd) => {
      if (isWaitedFor) resume(Effect.succeed(error === null ? Either.right(fd) : Either.left(codeOf(error))))
      else if (error === null) close(fd)
    })
    return Effect.sync(() => {
      isWaitedFor = false
    })
  })

const readPath = (path: string, limit: number): Effect.Effect<Content> =>
  path.includes("\0")
    ? Effect.succeed({ _tag: "Unreadable", why: "absent", detail: "a NUL character in the path" })
    : Effect.acquireUseRelease(
        // A signal must not wait for who writes a pipe.
        Effect.interruptible(openToRead(absolute(process.cwd(), homedir(), path))),
        (opened) =>
          Either.isLeft(opened) ? Effect.succeed(unreadable(opened.left)) : readOpen(opened.right, limit),
        (opened) =>
          Either.isLeft(opened)
            ? Effect.void
            : call((done) => close(opened.right, (error) => done(error ?? null, 0)))
      )

const readOpen = (fd: number, limit: number): Effect.Effect<Content> =>
  Effect.gen(function* () {
    const size = yield* call((done) =>
      fstat(fd, (error, stat) => done(error, stat?.isFile() ? stat.size : 0))
    )
    if (Either.isRight(size) && size.right > limit)
      return { _tag: "Unreadable", why: "too_large", detail: `${counted(size.right)} bytes` }
    return yield* readAll(fd, limit)
  })

const unreadable = (code: string): Content => {
  if (code === "ENOENT" || code === "ENOTDIR") return { _tag: "Unreadable", why: "absent", detail: code }
  if (code === "EISDIR") return { _tag: "Unreadable", why: "folder", detail: code }
  if (code === "EACCES" || code === "EPERM") return { _tag: "Unreadable", why: "denied", detail: code }
  return { _tag: "Unreadable", why: "failed", detail: code }
}
