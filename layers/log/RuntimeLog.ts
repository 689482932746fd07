import * as fs from "node:fs"
import * as path from "node:path"
import { Cause, DateTime, Effect, HashMap, Layer, Logger, type LogLevel } from "effect"

/** A log file that has grown to this is put aside (SPEC.md section 19). */
const ROTATE_BYTES = 50 * 1024 * 1024
const KEPT = 5

export interface LogOptions {
  readonly logDir: string
  readonly level: LogLevel.LogLevel
  readonly rotateBytes?: number
}

/** One line of JSON: time, level, message, then the ids that the program annotated. */
const lineOf = (entry: Logger.Logger.Options<unknown>): string => {
  const line: Record<string, unknown> = {
    at: DateTime.formatIso(DateTime.unsafeFromDate(entry.date)),
    level: entry.logLevel.label.toLowerCase(),
    message: (Array.isArray(entry.message) ? entry.message : [entry.message]).map(text).join(" ")
  }
  for (const [key, value] of HashMap.entries(entry.annotations)) line[key] = value
  if (!Cause.isEmpty(entry.cause)) line.cause = Cause.pretty(entry.cause)
  return `${JSON.stringify(line)}\n`
}

const text = (part: unknown): string => (typeof part === "string" ? part : JSON.stringify(part))

/** Moves `runtime.jsonl` to `.1`, `.1` to `.2` and so on; the oldest goes. */
const rotate = (file: string): void => {
  for (let n = KEPT; n >= 1; n--) {
    const from = n === 1 ? file : `${file}.${n - 1}`
    if (fs.existsSync(from)) fs.renameSync(from, `${file}.${n}`)
  }
}

const append = (file: string, line: string, rotateBytes: number): void => {
  try {
    const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size >= rotateBytes) rotate(file)
    fs.appendFileSync(file, line, { mode: 0o600 })
  } catch {
    // The same line goes to stderr: a full disk must not end what is being logged about.
  }
}

/** Writes the log to `logDir/runtime.jsonl` and the same lines to stderr, for the journal. */
export const layer = (options: LogOptions): Layer.Layer<never> => {
  const file = path.join(options.logDir, "runtime.jsonl")
  const logger = Logger.make((entry) => {
    const line = lineOf(entry)
    append(file, line, options.rotateBytes ?? ROTATE_BYTES)
    process.stderr.write(line)
  })
  return Layer.mergeAll(
    Layer.effectDiscard(Effect.sync(() => fs.mkdirSync(options.logDir, { recursive: true, mode: 0o700 }))),
    Logger.replace(Logger.defaultLogger, logger),
    Logger.minimumLogLevel(options.level)
  )
}
