import { Cause, DateTime, HashMap, Logger } from "effect"

/** JSON leaves C1 controls, DEL and bidirectional marks as they are; a terminal must not get them raw. */
const RAW = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`

const words = (part: unknown): string => {
  if (typeof part === "string") return part
  if (part instanceof Error) return part.message
  try {
    return JSON.stringify(part) ?? String(part)
  } catch {
    // A log line must not fail for what it tells about.
    return String(part)
  }
}

/** Where a fault of ours was is needed to find it. What was to be expected says itself what it is. */
const told = (cause: Cause.Cause<unknown>): string =>
  Cause.isDie(cause) ? Cause.pretty(cause) : named(cause).join("\n")

const named = (cause: Cause.Cause<unknown>): ReadonlyArray<string> =>
  Cause.prettyErrors(cause).map(({ message, name }) => (message === "" ? name : `${name}: ${message}`))

const messageOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message]).map(words).join(" ")

/**
 * A log entry as one line of JSON without its line end: `at`, `level`, `message`, the ids that the program
 * annotated (`task_id`, `attempt_id`, `runner_id`), and `cause` where there is one. It never throws.
 */
export const logLine: Logger.Logger<unknown, string> = Logger.make((entry) => {
  const line: Record<string, unknown> = {
    at: DateTime.formatIso(DateTime.unsafeFromDate(entry.date)),
    level: entry.logLevel.label.toLowerCase(),
    message: messageOf(entry.message)
  }
  for (const [key, value] of HashMap.entries(entry.annotations))
    if (!(key in line)) line[key] = typeof value === "number" ? value : words(value)
  if (!Cause.isEmpty(entry.cause)) line.cause = told(entry.cause)
  return JSON.stringify(line).replace(RAW, escaped)
})

/**
 * A log entry in words for a person: the level, the message, the ids that the program annotated, and what the cause
 * says, without where it happened. It never throws.
 */
export const logWords: Logger.Logger<unknown, string> = Logger.make((entry) => {
  const ids = [...HashMap.entries(entry.annotations)].map(([key, value]) => `${key} ${words(value)}`)
  const said = [messageOf(entry.message), ...named(entry.cause)].join(": ")
  const level = entry.logLevel.label === "WARN" ? "warning" : entry.logLevel.label.toLowerCase()
  return `${level}: ${said}${ids.length === 0 ? "" : ` (${ids.join(", ")})`}`
})
