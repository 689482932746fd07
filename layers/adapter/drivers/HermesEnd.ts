import { Option } from "effect"
import type { End, Told } from "./Driver.ts"

type Judged = Pick<Told, "exitStatus" | "retryClass" | "reason">

/** The part of hermes's last record that says how its turn ended. */
export interface Closing {
  readonly exit_code?: number | undefined
  readonly error?: string | undefined
}

/** Judges a run that was to end with a `result` record; without one it did not come to its end. */
export const judgedByRecord = (end: End, closing: Closing | undefined): Judged => {
  const { ending } = end
  if (ending._tag !== "Exited") return endedOtherwise(ending)
  if (failedBy(end, closing))
    return failed(ending.code || (closing?.exit_code ?? 1), said(closing?.error, lastOf(end.stderr)))
  return closing === undefined
    ? judged("error", "retryable", after("hermes ended without its result record", lastOf(end.stderr)))
    : wentWell
}

/** Judges a run by its exit code; what went wrong stands on stderr, in older versions on stdout. */
export const judgedByExit = ({ ending, stderr, stdout }: End): Judged => {
  if (ending._tag !== "Exited") return endedOtherwise(ending)
  return ending.code === 0 ? wentWell : failed(ending.code, lastOf(stderr) || lastOf(stdout))
}

/** Whether an exit or the record says that the turn failed. An incomplete turn of older versions does neither. */
export const failedBy = ({ ending }: End, closing: Closing | undefined): boolean =>
  ending._tag === "Exited" && (ending.code !== 0 || (closing?.exit_code ?? 0) !== 0)

/** The session's id where hermes names it in a line of its own; the last one counts. */
export const sessionIn = (output: string): string | undefined =>
  [...output.matchAll(/^session_id: (\S+)[ \t\r]*$/gm)].at(-1)?.[1]

const judged = (
  exitStatus: Judged["exitStatus"],
  retryClass: Judged["retryClass"],
  reason: string
): Judged => ({ exitStatus, retryClass, reason: Option.some(reason) })

const wentWell: Judged = { exitStatus: "ok", retryClass: "none", reason: Option.none() }

const endedOtherwise = (ending: Exclude<End["ending"], { readonly _tag: "Exited" }>): Judged => {
  switch (ending._tag) {
    case "TimedOut":
      return judged("timeout", "retryable", `timed out after ${ending.afterMs} ms`)
    case "Silent":
      return judged("timeout", "retryable", `no output for ${ending.forMs} ms`)
    case "Killed":
      return judged("error", "retryable", `killed by ${ending.signal}`)
    case "Stopped":
      return judged(
        "canceled",
        "none",
        ending.reason === "cancel" ? "canceled by an operator" : "stopped by a drain"
      )
  }
}

/** argparse's exit code for a command line that it refuses. */
const USAGE = 2
/** What hermes makes of SIGINT, SIGTERM and SIGHUP. */
const INTERRUPTED = 130

// hermes begins with its own words and the provider's HTTP status; what a model says of a status is no sign.
const PROVIDER = /^(?:Error: )?(?:API call failed[^:]*: )?HTTP (\d{3})\b/
const NO_CREDENTIALS = /^(?:Error: )?(?:credentials or agent init failed|no inference provider configured)/i

// Its own words when shortening the conversation did not help; the request's size comes as 413.
const TOO_LONG = /^(?:Error: )?(?:context length exceeded|request payload too large)/i

const KEY =
  "the provider refused the key: see `hermes auth list`, or put a valid one into the adapter's env file"
const CREDIT = "the provider's credit is used up: add to it, or use another adapter"
const MODEL = 'the provider does not have this model: correct the adapter\'s "model" or "providerId"'
const CREDENTIALS =
  "no credentials were found: run `hermes setup` as this user, or set HERMES_HOME and the key in the adapter's env file"
const CONTEXT =
  "the prompt is too long for this model: choose another one, or lower the profile's max_prompt_chars"
const REQUEST = "the provider does not take this request, and would not take it again: see stderr.log"

/** Statuses of 400 and above, below 500, that ask to come back later. */
const LATER = [408, 409, 425, 429, 499]

/** What an operator has to do before another attempt makes sense; undefined where waiting may help. */
const remedyOf = (words: string): string | undefined => {
  if (NO_CREDENTIALS.test(words)) return CREDENTIALS
  if (TOO_LONG.test(words)) return CONTEXT
  const status = Number(PROVIDER.exec(words)?.[1] ?? 0)
  if (status === 402 || (status === 429 && /insufficient_quota/i.test(words))) return CREDIT
  if (status === 401 || status === 403) return KEY
  if (status < 400 || status >= 500 || LATER.includes(status)) return undefined
  if (status === 404 || /model_not_found|not a valid model/i.test(words)) return MODEL
  return status === 413 || /context[_ ](length|window|size)/i.test(words) ? CONTEXT : REQUEST
}

const failed = (code: number, words: string): Judged => {
  const what = after(`exit code ${code}`, words)
  if (code === USAGE)
    return judged("error", "permanent", `${what} (hermes does not take these arguments: see extraArgs)`)
  if (code === INTERRUPTED)
    return judged("error", "retryable", `interrupted by a signal from elsewhere (${what})`)
  const remedy = remedyOf(words)
  return remedy === undefined
    ? judged("error", "retryable", what)
    : judged("error", "none", `${what} (${remedy})`)
}

const after = (what: string, words: string): string => (words === "" ? what : `${what}: ${words}`)

const said = (error: string | undefined, trail: string): string =>
  error === undefined ? trail : /init failed$/.test(error) && trail !== "" ? `${error}: ${trail}` : error

// Whole lines only: a part of one could be a part of a secret value, which nobody would know any more.
const lastOf = (output: string): string =>
  output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^session_id: \S+$/.test(line))
    .at(-1) ?? ""
