import * as fs from "node:fs"
import * as path from "node:path"
import { Cause, Effect, FiberRef, FiberRefs, Layer, Logger, LogLevel } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { logLine } from "../../src/domain/LogLine.ts"
import { take } from "../lock/FileLock.ts"
import { codeOf } from "../SystemWord.ts"

/** A log file that would grow beyond this is put aside (SPEC.md section 19). */
const ROTATE_BYTES = 50 * 1024 * 1024
const KEPT = 5

export interface LogOptions {
  /** Made when missing (0700). */
  readonly logDir: string
  readonly rotateBytes?: number
}

/**
 * Adds `logDir/runtime.jsonl` to what is logged from `info` on: `runtime.jsonl.1` is the file before it, five
 * are kept. A line that the disk does not take is lost here, and nothing else: logging never fails a program, nor
 * holds one up. Where no plain file can be opened, the other loggers are told so, once.
 */
export const layer = (options: LogOptions): Layer.Layer<never> =>
  Layer.unwrapEffect(
    Effect.sync(() => {
      const file = path.join(options.logDir, "runtime.jsonl")
      const most = options.rotateBytes ?? ROTATE_BYTES
      let isTold = false
      const own: Logger.Logger<unknown, void> = Logger.make((entry) => {
        if (!LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Info)) return
        const wrong = append(file, Buffer.from(`${logLine.log(entry)}\n`), most)
        if (wrong === undefined || isTold) return
        isTold = true
        tellOthers(
          own,
          entry,
          `The log ${file} is not written: ${wrong}; see what is there, and move it away`
        )
      })
      return Logger.add(own)
    })
  )

const tellOthers = (
  own: Logger.Logger<unknown, void>,
  entry: Logger.Logger.Options<unknown>,
  message: string
): void => {
  for (const other of FiberRefs.getOrDefault(entry.context, FiberRef.currentLoggers))
    if (other !== own) other.log({ ...entry, logLevel: LogLevel.Warning, message, cause: Cause.empty })
}

/** Answers why there is no file to write to; nothing where the line was lost for another reason. */
const append = (file: string, line: Uint8Array, most: number): string | undefined => {
  harmless(() => rotate(file, line.length, most))
  let fd: number
  try {
    fd = opened(file)
  } catch (cause) {
    const code = codeOf(cause)
    return isNoRoom(code) || code === "ENOSPC" ? undefined : (ODD[code] ?? code)
  }
  // One write call: the lines of several processes stand one after the other.
  harmless(() => fs.writeSync(fd, line))
  harmless(() => fs.closeSync(fd))
  return undefined
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY } = fs.constants

const NOT_PLAIN = "it is not a regular file"
/** What opening answers where something else lies in the file's place: a symlink, a pipe that nobody reads, a folder. */
const ODD: Readonly<Record<string, string>> = {
  ELOOP: "it is a symbolic link",
  ENXIO: NOT_PLAIN,
  EISDIR: "it is a folder"
}

/** The file for appending; never waits for the other end of a pipe, and never writes to what is no plain file. */
const opened = (file: string): number => {
  const open = () => plain(fs.openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600))
  try {
    return open()
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  return open()
}

const plain = (fd: number): number => {
  if (fs.fstatSync(fd).isFile()) return fd
  fs.closeSync(fd)
  throw Object.assign(new Error(NOT_PLAIN), { code: NOT_PLAIN })
}

/**
 * Moves `runtime.jsonl` to `.1`, `.1` to `.2` and so on where the line would not fit; the oldest goes. Of several
 * processes one does it: the others go on writing, and whoever comes later finds that it is done.
 */
const rotate = (file: string, more: number, most: number): void => {
  if (fits(fs.statSync(file, { throwIfNoEntry: false }), more, most)) return
  const fd = plain(fs.openSync(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK))
  try {
    if (!take(fd)) return
    const now = fs.statSync(file, { throwIfNoEntry: false })
    if (fits(now, more, most) || now?.ino !== fs.fstatSync(fd).ino) return
    for (let n = KEPT; n >= 1; n--)
      harmless(() => fs.renameSync(n === 1 ? file : `${file}.${n - 1}`, `${file}.${n}`))
  } finally {
    fs.closeSync(fd)
  }
}

const fits = (found: fs.Stats | undefined, more: number, most: number): boolean =>
  found === undefined || found.size === 0 || found.size + more <= most

const harmless = (step: () => void): void => {
  try {
    step()
  } catch {
    // A full disk must not end what is being logged about; warnings are on stderr as well.
  }
}
