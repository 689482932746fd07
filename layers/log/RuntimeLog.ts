import * as fs from "node:fs"
import * as path from "node:path"
import { type Layer, Logger, LogLevel } from "effect"
import { logLine } from "../../src/domain/LogLine.ts"
import { take } from "../lock/FileLock.ts"

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
 * are kept. A line that the disk does not take is lost here, and nothing else: logging never fails a program.
 */
export const layer = (options: LogOptions): Layer.Layer<never> => {
  const file = path.join(options.logDir, "runtime.jsonl")
  const most = options.rotateBytes ?? ROTATE_BYTES
  return Logger.add(
    Logger.make((entry) => {
      if (LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Info))
        append(file, Buffer.from(`${logLine.log(entry)}\n`), most)
    })
  )
}

const append = (file: string, line: Uint8Array, most: number): void => {
  harmless(() => rotate(file, line.length, most))
  harmless(() => {
    try {
      write(file, line)
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
      write(file, line)
    }
  })
}

// One write call: the lines of several processes stand one after the other.
const write = (file: string, line: Uint8Array): void => fs.appendFileSync(file, line, { mode: 0o600 })

/**
 * Moves `runtime.jsonl` to `.1`, `.1` to `.2` and so on where the line would not fit; the oldest goes. Of several
 * processes one does it: the others go on writing, and whoever comes later finds that it is done.
 */
const rotate = (file: string, more: number, most: number): void => {
  if (fits(fs.statSync(file, { throwIfNoEntry: false }), more, most)) return
  const fd = fs.openSync(file, "r+")
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

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ENOENT"

const harmless = (step: () => void): void => {
  try {
    step()
  } catch {
    // A full disk must not end what is being logged about; warnings are on stderr as well.
  }
}
