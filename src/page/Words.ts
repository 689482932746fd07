import { cronWords } from "./CronWords.ts"
import { isBlank } from "./Visible.ts"
import type { Schedule, State, Status, Task, Waiting } from "./Wire.ts"

/** What marks a status, beside its colour: the name of a glyph and a word. */
export type Tone = "blocked" | "failed" | "running" | "waiting" | "completed" | "canceled" | "paused"

const STATUS: Readonly<Record<Status, readonly [Tone, string]>> = {
  pending: ["waiting", "queued"],
  running: ["running", "running"],
  completed: ["completed", "completed"],
  retryable_failure: ["waiting", "will retry"],
  permanent_failure: ["failed", "failed"],
  blocked: ["blocked", "blocked"],
  operator_canceled: ["canceled", "canceled"]
}

/** The tone and the word of a task's status; a status that is not known is shown as it is. */
export const statusWords = (status: string): readonly [Tone, string] =>
  STATUS[status as Status] ?? ["waiting", status]

/** `12,408`. */
export const counted = (count: number): string => Math.round(count).toLocaleString("en-US")

/** `12.4 k`, `2 M`: where there is no room for all figures. */
export const brief = (count: number): string => {
  const [size, unit] =
    count >= 1e9 ? [1e9, " G"] : count >= 1e6 ? [1e6, " M"] : count >= 1e4 ? [1e3, " k"] : [1, ""]
  return `${Math.round((10 * count) / size) / 10}${unit}`
}

/** `1 task`, `12 tasks`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${counted(count)} ${count === 1 ? one : many}`

/** A stretch of time in its two largest units: `840 ms`, `4 m 12 s`, `3 d 4 h`. */
export const duration = (ms: number): string => {
  if (!Number.isFinite(ms)) return "unknown"
  const all = Math.max(0, ms)
  if (all < 1_000) return `${Math.round(all)} ms`
  if (all < 10_000) return `${(Math.floor(all / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(all / 1_000)
  const units: ReadonlyArray<readonly [number, string]> = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "m"],
    [1, "s"]
  ]
  const first = units.findIndex(([size]) => seconds >= size)
  const [size, name] = units[first] ?? [1, "s"]
  const next = units[first + 1]
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0])
  return `${Math.floor(seconds / size)} ${name}${next === undefined || rest === 0 ? "" : ` ${rest} ${next[1]}`}`
}

/** How long ago, or in how long, in one unit: `now`, `4 m ago`, `in 2 h`. */
export const relative = (at: number, now: number): string => {
  const away = Math.abs(now - at)
  if (away < 5_000) return "now"
  const words = duration(away < 10_000 ? Math.round(away / 1_000) * 1_000 : away)
    .replace(/\.\d s$/, " s")
    .split(" ")
  const short = away >= 86_400_000 && away < 172_800_000 ? words.join(" ") : words.slice(0, 2).join(" ")
  return at > now ? `in ${short}` : `${short} ago`
}

const two = (value: number): string => String(value).padStart(2, "0")
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** A moment: the time alone on the day of `now`, else with its day; the year where it is another one. */
export const moment = (iso: string, now: number, utc: boolean): string => {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const of = (date: Date) =>
    utc
      ? ([
          date.getUTCFullYear(),
          date.getUTCMonth(),
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds()
        ] as const)
      : ([
          date.getFullYear(),
          date.getMonth(),
          date.getDate(),
          date.getHours(),
          date.getMinutes(),
          date.getSeconds()
        ] as const)
  const [year, month, day, hour, minute, second] = of(at)
  const [thisYear, thisMonth, today] = of(new Date(now))
  const time = `${two(hour)}:${two(minute)}:${two(second)}${utc ? " UTC" : ""}`
  if (year === thisYear && month === thisMonth && day === today) return time
  return `${day} ${MONTHS[month]}${year === thisYear ? "" : ` ${year}`} ${time}`
}

/** `812 B`, `4.2 KiB`. */
export const size = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB"]
  let value = bytes
  let at = 0
  while (value >= 1_024 && at < units.length - 1) {
    value /= 1_024
    at++
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

/** `$0.042`; enough digits to tell small amounts apart. */
export const usd = (amount: number): string =>
  `$${amount.toFixed(amount !== 0 && Math.abs(amount) < 1 ? 3 : 2)}`

/** What people call a task: its subject, else its kind; a subject that cannot be seen is none. */
export const title = (task: Pick<Task, "subject" | "kind">): string => subjectOf(task) ?? task.kind

const subjectOf = ({ subject }: Pick<Task, "subject">): string | undefined =>
  subject === null || isBlank(subject) ? undefined : subject

/**
 * A reason as people say it: the words of programs before it (`verification_failed: artifact_missing: ...`) are
 * left out, they stand in the attempt's record.
 */
export const plainReason = (text: string): string => {
  const plain = text
    .replace(/(^|the last one: |last attempt: )(?:[a-z]+(?:_[a-z]+)+: )+/g, "$1")
    // When it is tried again stands beside it, and is nearer by now.
    .replace(/: to be tried again in \d+ s, says the /, ", says the ")
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

/** What a program says as a sentence: it begins with a capital and ends with a point. */
export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`

// What turns the direction of what follows: in a sentence of the page it would turn the page's own words.
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The beginning of a text that is longer than `most`, else the text; what is cut is seen. */
export const beginning = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most).trimEnd()}…` : text

/** More of a text of somebody else would hide the sentence that it stands in. */
const MOST_QUOTED = 160

/** A text of somebody else within a sentence of the page: it cannot turn the words around it, nor drown them. */
export const quoted = (text: string): string => `“${beginning(text.replace(DIRECTIONS, ""), MOST_QUOTED)}”`

/** Why a blocked task stands still, in one sentence. */
export const blockedBecause = (
  task: Pick<Task, "outcome" | "last_error"> & { readonly operator_summary?: string | null | undefined }
): string =>
  task.outcome?.question?.text ??
  (task.last_error === null ? null : plainReason(task.last_error)) ??
  task.outcome?.operator_summary ??
  task.operator_summary ??
  "No reason was recorded."

const WAITS: Readonly<Record<string, string>> = {
  not_due: "Not due yet",
  paused: "Paused",
  cooldown: "Adapter cools down",
  probe: "Adapter fails its probe",
  concurrency: "All slots are busy",
  priority: "Behind others",
  workspace: "Workspace in use",
  budget: "Budget spent",
  answer: "Waits for an answer",
  no_dispatcher: "No dispatcher",
  operator: "Needs you"
}

// Of these the server says all in a sentence: the few words before it would say it twice.
const TOLD_WHOLE: ReadonlyArray<string> = [
  "cooldown",
  "concurrency",
  "priority",
  "workspace",
  "budget",
  "no_dispatcher"
]

/** What a task waits for: the reason in a few words and what is known beyond them, or the sentence that says both. */
export const waitingWords = ({ detail, reason }: Pick<Waiting, "reason" | "detail">): string => {
  const words = WAITS[reason] ?? reason
  const more = detail
    .replace(/^it (is not due yet|waits for an (operator|answer))[;:]? ?/, "")
    .replace(/^budget (\S+) of \1: /, "budget $1: ")
  if (more === "") return words
  const plain = plainReason(more)
  return TOLD_WHOLE.includes(reason) ? shortened(plain) : `${words}: ${shortened(lowered(plain))}`
}

/** Ids by as much as tells them apart, moments to the minute: in a sentence the rest is in the way. */
export const shortened = (text: string): string =>
  text
    .replace(/\b([0-9a-f]{8}-[0-9a-f]{4})(?:-[0-9a-f]{4}){2}-[0-9a-f]{12}\b/g, "$1")
    .replace(/\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z/g, "$1 $2 UTC")

const lowered = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

/** Where a task comes from, without what its workflow or its due time adds to that. */
export const originWords = (task: Pick<Task, "kind" | "source" | "subject">): string => {
  const from = task.source
    .replace(/^workflow:(\d+):.*$/, "workflow $1")
    .replace(/:\d{4}-\d\d-\d\dT[\d:.]+Z$/, "")
  return subjectOf(task) === undefined ? from : `${task.kind} · ${from}`
}

/** Who did something: a dispatcher by its host and process, anybody else by name. */
export const actorWords = ({ name }: { readonly name: string }): string =>
  /^([^:]+:\d+):\d{4}-/.exec(name)?.[1] ?? name

/** `every 5 m 5 s`, `each day at 07:00 (Europe/Zurich): 0 7 * * *`. */
export const timing = (schedule: Pick<Schedule, "cron" | "interval_seconds" | "timezone">): string => {
  if (schedule.cron === null)
    return `every ${duration((schedule.interval_seconds ?? 0) * 1_000).replace(/\.0 s$/, " s")}`
  const zone = schedule.timezone === null ? "" : ` (${schedule.timezone})`
  return `${cronWords(schedule.cron) ?? "cron"}${zone}: ${schedule.cron}`
}

/** Tasks that wait for their turn. */
export const waitingCount = ({ counts }: Pick<State, "counts">): number =>
  counts.queued + counts.retryable_failure

/** Tasks that have ended, whatever came of them. */
export const endedCount = ({ counts }: Pick<State, "counts">): number =>
  counts.completed + counts.permanent_failure + counts.operator_canceled

/** All tasks that there are: fewer than there were are told by no event, they were pruned. */
export const taskCount = ({ counts }: Pick<State, "counts">): number =>
  Object.values(counts).reduce((sum, one) => sum + one, 0)

/** `task_attempt_finished` as people say it. */
export const plainWords = (name: string): string => {
  const words = name.replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** A value of a record in few letters: ids and hashes by their beginning, moments without their fractions. */
const valueWords = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  const short = shortened(text)
    .replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1")
    .replace(/^([^:\s]+:\d+):\d{4}-.*$/, "$1")
  return beginning(short, 160)
}

/** The first line of what a detail says, `key value` by `key value`; what is empty is left out, long values are cut. */
export const detailLine = (detail: { readonly [key: string]: unknown }): string =>
  Object.entries(detail)
    .filter(([, value]) => !isEmpty(value))
    .map(([key, value]) => `${key.replaceAll("_", " ")} ${valueWords(value)}`)
    .join(" · ")

// Escape sequences of terminals (CSI, OSC, single ones) and the controls that no text needs.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

/** A child's output as plain text: escape sequences gone, a carriage return begins its line anew. */
export const plainOutput = (text: string): string =>
  text
    .replace(/\r\n/g, "\n")
    .replace(ESCAPES, "")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1))
    .join("\n")
