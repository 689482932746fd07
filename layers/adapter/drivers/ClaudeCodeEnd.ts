import { Option } from "effect"
import { after, endingWords, type Judged, judged } from "../ChildVerdict.ts"
import type { Result } from "./ClaudeCodeLines.ts"
import type { End } from "./Driver.ts"

/** What a run is judged by, beside how it ended. */
export interface Course {
  /** Whether it began: arguments that it refuses end it before. */
  readonly begun: boolean
  readonly result: Option.Option<Result>
  /** The sort of the failure that it named last, where nothing went well since (`rate_limit`, ...). */
  readonly trouble: string | undefined
  /** Whether the provider said when it takes requests again. */
  readonly reopens: boolean
}

/** Judges a run by claude's own fields, its exit code, and by who ended it; never by what a model says. */
export const judgedBy = (end: End, course: Course): Judged => {
  const { ending } = end
  switch (ending._tag) {
    // What it was ended by is the runtime's to say; the reason is what else is known.
    case "TimedOut":
    case "Silent":
      return { exitStatus: "timeout", retryClass: "retryable", reason: during(course) }
    case "Stopped":
      return { exitStatus: "canceled", retryClass: "none", reason: Option.none() }
    case "Killed":
      return judged("error", "retryable", endingWords(ending))
    case "Exited":
      return Option.match(course.result, {
        onNone: () => withoutResult(end, ending.code, course),
        onSome: (result) =>
          ending.code === 0 && wentWell(result)
            ? { exitStatus: "ok", retryClass: "none", reason: Option.none() }
            : failed(result, ending.code, end, course)
      })
  }
}

/** Whether a result says that its run came to its end; after a SIGINT the program exits with 0 and says no. */
export const wentWell = ({ is_error, subtype, terminal_reason }: Result): boolean =>
  is_error === false && subtype === "success" && !wasAborted(terminal_reason)

const wasAborted = (terminal: string | undefined): boolean => terminal?.startsWith("aborted") === true

const during = ({ result, trouble }: Course): Option.Option<string> =>
  trouble === undefined || Option.isSome(result)
    ? Option.none()
    : Option.some(`the last request failed: ${trouble}`)

/** Codes from here on are those of shells for processes that a signal ended (128 + its number). */
const SIGNALED = 128

const withoutResult = (end: End, code: number, { begun }: Course): Judged => {
  const words = lastOf(end.stderr) || (begun ? "" : lastOf(end.stdout))
  if (AS_ROOT.test(words)) return judged("error", "permanent", `${words} (${NOT_AS_ROOT})`)
  const plain = begun ? undefined : plainly(end)
  if (plain !== undefined) return plain
  if (begun || code === 0 || code >= SIGNALED)
    return judged("error", "retryable", after(`exit code ${code} without a result`, words))
  return judged("error", "permanent", `${after(`exit code ${code}`, words)} (${ARGUMENTS})`)
}

// Before its protocol it tells what is wrong in plain text, on either output, with warnings around it.
const plainly = ({ stderr, stdout }: End): Judged | undefined => {
  const line = [stderr, stdout]
    .flatMap((output) => output.split("\n").map(oneLine))
    .findLast((one) => saidRemedy(one) !== undefined || statusIn(one) > 0)
  if (line === undefined) return undefined
  const remedy = saidRemedy(line) ?? byStatus(statusIn(line))
  return remedy === undefined
    ? judged("error", "retryable", line)
    : judged("error", "none", `${line} (${remedy})`)
}

const failed = (result: Result, code: number, end: End, course: Course): Judged => {
  if (wasAborted(result.terminal_reason))
    return judged("error", "retryable", `interrupted by a signal from elsewhere (${result.terminal_reason})`)
  const words = wordsOf(result, end)
  if (!course.begun && result.num_turns === 0) return judged("error", "permanent", `${words} (${ARGUMENTS})`)
  const remedy = remedyOf(result, course)
  if (remedy !== undefined) return judged("error", "none", `${words} (${remedy})`)
  return judged("error", "retryable", wentWell(result) ? after(`exit code ${code}`, words) : words)
}

/** What mends that claude-code does not lift its permissions for root. */
export const NOT_AS_ROOT =
  'run the dispatcher as another user, or set "IS_SANDBOX": "1" in the adapter\'s env where this machine is a sandbox'
const AS_ROOT = /^--dangerously-skip-permissions cannot be used with root/

const ARGUMENTS = "claude-code did not begin: see the adapter's extraArgs and settingsFile"
const KEY =
  "put a valid ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN into the adapter's env, or log in as this user"
const ACCOUNT = "settle it with the account's administrator, or use another adapter"
const CREDIT = "add credit to the account, or use another adapter"
const MODEL =
  "the provider does not serve this model: correct the adapter's \"model\" or its provider's address"
const QUOTA = "wait until the limit resets or raise it, or use another adapter; then retry the task"
const BUDGET = "raise --max-budget-usd in the adapter's extraArgs, or split the task"
const REFUSED = "the model's safeguards stopped it: reword the task, or use another model"
const TOO_LONG =
  "shorten the task or its profile's max_prompt_chars, split it, or use a model with a larger context"
const SAME_AGAIN = "the same request would be refused again: correct the task or the adapter's settings"

/** What has to be put right, by the sort of failure that claude names. */
const REMEDIES: Readonly<Record<string, string>> = {
  authentication_failed: KEY,
  cloud_credential_error: KEY,
  oauth_org_not_allowed: ACCOUNT,
  account_on_hold: ACCOUNT,
  verification_required: ACCOUNT,
  billing_error: CREDIT,
  model_not_found: MODEL,
  // The provider's own names of the last refusal (docs.anthropic.com, errors).
  authentication_error: KEY,
  permission_error: KEY,
  not_found_error: MODEL
}

/**
 * What claude says in its own words where it names no sort: without a key at all, of a provider's plain 400, and
 * of an account whose plan or credit is used up, which comes as the 429 of a busy server (the last is of older versions).
 */
const SAID: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(not logged in|invalid api key|oauth token (revoked|has expired))( · |[.]|$)/i, KEY],
  [/^(your )?credit balance is too low/i, CREDIT],
  [/^you.ve (hit|reached) your /i, QUOTA],
  [/^you.re out of (usage credits|extra usage)/i, QUOTA],
  [/^your (org|organization) is out of usage/i, QUOTA],
  [/^your (seat type doesn.t include|usage allocation has been disabled|group.s usage limit is)/i, QUOTA],
  [/^\S.{0,40} requires usage credits/i, QUOTA],
  [/^claude (ai )?usage limit reached/i, QUOTA]
]

const saidRemedy = (words: string): string | undefined => SAID.find(([pattern]) => pattern.test(words))?.[1]

/** The status that claude names where it has no field for it; 0 where it names none. */
const statusIn = (words: string): number =>
  Number(/^(?:failed to authenticate\. |please run \/login · )?api error: (\d{3})\b/i.exec(words)?.[1] ?? 0)

/** Statuses of 400 and above, below 500, that ask to come back later. */
const LATER: ReadonlyArray<number> = [408, 409, 425, 429, 499]
const FULL: ReadonlyArray<string | undefined> = ["prompt_too_long", "blocking_limit"]

/**
 * What an operator has to do before another attempt makes sense; undefined where another may go better. A
 * request that is refused is refused again, in the middle of the work too: claude itself shortens a conversation
 * that grows, and tries once more after a refusal. A limit of which is known when it opens again is waited for.
 * Turns that run out leave work behind that another attempt goes on from; money that runs out would be spent again.
 */
const remedyOf = (result: Result, { reopens, trouble }: Course): string | undefined => {
  if (result.subtype === "error_max_budget_usd") return BUDGET
  if (result.stop_reason === "refusal" && result.is_error === true) return REFUSED
  const { api_error_status: status, api_error_type: type } = result
  const named = [trouble, type].flatMap((sort) => (sort === undefined ? [] : (REMEDIES[sort] ?? [])))[0]
  if (named !== undefined) return named
  if (FULL.includes(result.terminal_reason)) return TOO_LONG
  const words = result.is_error === true ? (result.result ?? "") : ""
  const said = saidRemedy(words)
  if (said !== undefined) return said === QUOTA && reopens ? undefined : said
  return byStatus(status ?? statusIn(words))
}

const byStatus = (status: number): string | undefined => {
  if (status < 400 || status >= 500 || LATER.includes(status)) return undefined
  switch (status) {
    case 401:
    case 403:
      return KEY
    case 402:
      return CREDIT
    case 404:
      return MODEL
    case 413:
      return TOO_LONG
    default:
      return SAME_AGAIN
  }
}

const wordsOf = ({ errors, result, subtype }: Result, end: End): string =>
  oneLine(result || (errors ?? []).join("; ")) ||
  lastOf(end.stderr) ||
  (subtype ?? "claude ended with an error")

const oneLine = (words: string): string => words.replace(/\s+/g, " ").trim()

// Whole lines only: a part of one could be a part of a secret value, which nobody would know any more.
const lastOf = (output: string): string =>
  oneLine(output.split("\n").findLast((line) => line.trim() !== "") ?? "")
