import * as fs from "node:fs"
import * as path from "node:path"
import { Cause, Effect, FiberRef, FiberRefs, Layer, Logger, LogLevel } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { logLine } from "../../src/domain/LogLine.ts"
import { fullness } from "../Fullness.ts"
import { take } from "../lock/FileLock.ts"
import { oddAt, openPlain } from "../PlainOpen.ts"
import { codeOf, isFull } from "../SystemWord.ts"

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
 * are kept. A line that the disk does not take whole is lost here, and nothing else: logging never fails a program, nor
 * holds one up. The other loggers are told so when it begins, and the file, once it is written again, how many it were.
 */
export const layer = (options: LogOptions): Layer.Layer<never> =>
  Layer.unwrapEffect(
    Effect.sync(() => {
      const file = path.join(options.logDir, "runtime.jsonl")
      const most = options.rotateBytes ?? ROTATE_BYTES
      let lost = 0
      let isTold = false
      const own: Logger.Logger<unknown, void> = Logger.make((entry) => {
        if (!LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Info)) return
        const warning = (message: string) => ({
          ...entry,
          logLevel: LogLevel.Warning,
          message,
          cause: Cause.empty
        })
        const gap = lost === 0 ? [] : [warning(`Lines that this log could not take before this one: ${lost}`)]
        const lines = [...gap, entry].map((one) => `${logLine.log(one)}\n`)
        const wrong = append(file, Buffer.from(lines.join("")), most)
        if (wrong === undefined) {
          lost = 0
          isTold = false
          return
        }
        lost++
        if (isTold || isNoRoom(wrong)) return
        isTold = true
        const { what, remedy } = wordsOf(wrong, file)
        tellOthers(own, warning(`The log ${file} is not written: ${what}; ${remedy}`))
      })
      return Logger.add(own)
    })
  )

const tellOthers = (own: Logger.Logger<unknown, void>, told: Logger.Logger.Options<unknown>): void => {
  for (const other of FiberRefs.getOrDefault(told.context, FiberRef.currentLoggers))
    if (other !== own) other.log(told)
}

/** The system took a part of what was written, and gave no word why. */
const IN_PART = "written in part"

/** Answers why the lines were lost, a code of the system or of `openPlain`; nothing where they were taken. */
const append = (file: string, lines: Uint8Array, most: number): string | undefined => {
  harmless(() => rotate(file, lines.length, most))
  try {
    const fd = opened(file)
    try {
      return appendTo(fd, lines)
    } finally {
      fs.closeSync(fd)
    }
  } catch (cause) {
    return codeOf(cause)
  }
}

const NEWLINE = 0x0a

/**
 * One write call: the lines of several processes stand one after the other. What a full disk took a part of is taken
 * back, and after a part that was left by somebody who died over it a new line begins.
 */
const appendTo = (fd: number, lines: Uint8Array): string | undefined => {
  const { isWhole, size } = endOf(fd)
  const bytes = isWhole ? lines : Buffer.concat([Buffer.of(NEWLINE), lines])
  const written = fs.writeSync(fd, bytes)
  if (written === bytes.length) return undefined
  if (fs.fstatSync(fd).size === size + written) fs.ftruncateSync(fd, size)
  return IN_PART
}

const endsLine = (fd: number, size: number): boolean => {
  const last = Buffer.of(NEWLINE)
  if (size > 0) fs.readSync(fd, last, 0, 1, size - 1)
  return last[0] === NEWLINE
}

/**
 * The file's size, and whether its last line is whole, which it is unless somebody died over it. A file grows page by page while
 * another process's line is written, so an end that is no line's end is looked at again once that write is through:
 * setting a file's times waits for the inode's lock, which Linux's file systems hold for the whole of a write. A size
 * that has not changed by then is that of a part that somebody died over.
 */
const endOf = (fd: number): { readonly size: number; readonly isWhole: boolean } => {
  const { atime, mtime, size } = fs.fstatSync(fd)
  if (endsLine(fd, size)) return { size, isWhole: true }
  harmless(() => fs.futimesSync(fd, atime, mtime))
  return fs.fstatSync(fd).size === size ? { size, isWhole: false } : endOf(fd)
}

const { O_APPEND, O_CREAT, O_RDWR } = fs.constants

const wordsOf = (wrong: string, file: string) =>
  isFull(wrong) || wrong === IN_PART
    ? fullness(wrong, file)
    : { what: oddAt(wrong) ?? wrong, remedy: "see what is there, and move it away" }

/** The file for appending; never waits for the other end of a pipe, and never writes to what is no plain file. */
const opened = (file: string): number => {
  const open = () => openPlain(file, O_RDWR | O_CREAT | O_APPEND)
  try {
    return open()
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  return open()
}

/**
 * Moves `runtime.jsonl` to `.1`, `.1` to `.2` and so on where the line would not fit; the oldest goes. Of several
 * processes one does it: the others go on writing, and whoever comes later finds that it is done.
 */
const rotate = (file: string, more: number, most: number): void => {
  if (fits(fs.statSync(file, { throwIfNoEntry: false }), more, most)) return
  const fd = openPlain(file, O_RDWR)
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
