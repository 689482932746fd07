import { Option } from "effect"
import { after, endingVerdict, type Judged, judged } from "../ChildVerdict.ts"
import type { End } from "./Driver.ts"

/** The part of hermes's last record that says how its turn ended. */
export interface Closing {
  readonly exit_code?: number | undefined
  readonly error?: string | undefined
}

/** Judges a run that was to end with a `result` record; without one it did not come to its end. */
export const judgedByRecord = (end: End, closing: Closing | undefined): Judged => {
  const { ending } = end
  if (ending._tag !== "Exited") return endingVerdict(ending, "")
  if (failedBy(end, closing))
    return failed(ending.code || (closing?.exit_code ?? 1), told(closing?.error, end.stderr))
  return closing === undefined
    ? judged("error", "retryable", after("hermes ended without its result record", errorOf(end.stderr)))
    : wentWell
}

/** Judges a run by its exit code; what went wrong stands on stderr, in older versions on stdout. */
export const judgedByExit = ({ ending, stderr, stdout }: End): Judged => {
  if (ending._tag !== "Exited") return endingVerdict(ending, "")
  if (ending.code === 0) return wentWell
  const words = errorOf(stderr) || lastOf(stdout)
  return failed(ending.code, { words, remedy: remedyOf(words) })
}

/** Whether an exit or the record says that the turn failed. An incomplete turn of older versions does neither. */
export const failedBy = ({ ending }: End, closing: Closing | undefined): boolean =>
  ending._tag === "Exited" && (ending.code !== 0 || (closing?.exit_code ?? 0) !== 0)

/** The session's id where hermes names it in a line of its own; the last one counts. */
export const sessionIn = (output: string): string | undefined =>
  [...output.matchAll(/^session_id: (\S+)[ \t\r]*$/gm)].at(-1)?.[1]

const wentWell: Judged = { exitStatus: "ok", retryClass: "none", reason: Option.none() }

/** argparse's exit code for a command line that it refuses. */
const USAGE = 2
/** What hermes makes of SIGINT, SIGTERM and SIGHUP. */
const INTERRUPTED = 130

// hermes's own words before those of the provider.
const LEAD = /^(?:Error: )?(?:API call failed[^:]*: )?/

// The provider's HTTP status comes first, in hermes's summary or in the words of the SDK that it called (of what is
// not worth another try it tells those as they are); what a model says of a status is no sign.
const STATUS = /^(?:(?:Gemini )?HTTP|Error code:) (\d{3})\b/

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

/** What is told without a status: hermes's own words, and the names that providers give to their errors. */
const SAID: ReadonlyArray<readonly [RegExp, string]> = [
  [/^credentials or agent init failed/i, CREDENTIALS],
  [/^no (inference|hermes) provider (is )?configured/i, CREDENTIALS],
  [/^no api[ _]key (was )?(found|set|configured)\b/i, CREDENTIALS],
  [/^(invalid_api_key|authentication_error|permission_error)\b/i, KEY],
  [/^(insufficient_quota|insufficient[ _]credits?|billing_error)\b/i, CREDIT],
  [/^(model_not_found|not_found_error)\b/i, MODEL],
  // Where shortening the conversation did not help; the request's size comes as 413.
  [/^(context length exceeded|request payload too large)/i, CONTEXT]
]

/** What an operator has to do before another attempt makes sense; undefined where waiting may help. */
const remedyOf = (told: string): string | undefined => {
  const words = told.replace(LEAD, "")
  const said = SAID.find(([pattern]) => pattern.test(words))
  if (said !== undefined) return said[1]
  const status = Number(STATUS.exec(words)?.[1] ?? 0)
  if (status === 402 || (status === 429 && /insufficient_quota/i.test(words))) return CREDIT
  if (status === 401 || status === 403) return KEY
  if (status < 400 || status >= 500 || LATER.includes(status)) return undefined
  if (status === 404 || /model_not_found|not a valid model/i.test(words)) return MODEL
  return status === 413 || /context[_ ](length|window|size)/i.test(words) ? CONTEXT : REQUEST
}

interface Words {
  readonly words: string
  readonly remedy: string | undefined
}

const failed = (code: number, { remedy, words }: Words): Judged => {
  const what = after(`exit code ${code}`, words)
  if (code === USAGE)
    return judged("error", "permanent", `${what} (hermes does not take these arguments: see extraArgs)`)
  if (code === INTERRUPTED)
    return judged("error", "retryable", `interrupted by a signal from elsewhere (${what})`)
  return remedy === undefined
    ? judged("error", "retryable", what)
    : judged("error", "none", `${what} (${remedy})`)
}

// What a record leaves unexplained may stand on stderr; a status that it names is its own explanation.
const told = (error: string | undefined, stderr: string): Words => {
  const trail = errorOf(stderr)
  const ofTrail = remedyOf(trail)
  if (error === undefined) return { words: trail, remedy: ofTrail }
  const remedy = remedyOf(error)
  if (/init failed$/.test(error)) return { words: after(error, trail), remedy }
  return remedy !== undefined || ofTrail === undefined || STATUS.test(error.replace(LEAD, ""))
    ? { words: error, remedy }
    : { words: after(error, trail), remedy: ofTrail }
}

const linesOf = (output: string): ReadonlyArray<string> =>
  output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^session_id: \S+$/.test(line))

// Whole lines only: a part of one could be a part of a secret value, which nobody would know any more.
const lastOf = (output: string): string => linesOf(output).at(-1) ?? ""

// Hints and log lines may follow what hermes calls the error.
const errorOf = (stderr: string): string =>
  linesOf(stderr).findLast((line) => line.startsWith("Error: ")) ?? lastOf(stderr)
