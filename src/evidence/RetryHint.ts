import { Option } from "effect"
import type { Execution } from "../adapter/AdapterRegistry.ts"
import type { CommonSettings } from "../config/AdapterSettings.ts"
import type { Outcome } from "../domain/Outcome.ts"

export type HintService = Option.Option.Value<CommonSettings["retryHintService"]>

/** How long the other side asks to wait, in whole seconds from 1 to 24 h, and where it said so. */
export interface RetryHint {
  readonly seconds: number
  readonly from: "outcome" | "adapter" | "text"
}

/** No hint is waited for longer than this. */
export const MOST_HINT_SECONDS = 24 * 3600

/** Nor shorter: one that asks for no waiting starts no attempt right upon the last. */
export const LEAST_HINT_SECONDS = 1

/** Hints stand at the end of a log, if anywhere; more of it is not read. */
const MOST_TEXT = 64 * 1024

/** Words that turn a request to wait into a rate limit stand at most so far from it. */
const BESIDE = 1_000

/**
 * The hint of an attempt: the outcome's `retry_after_seconds`, else what the adapter read from a field or a
 * header, else, only where the adapter names a service, the words of that service. Numbers that are negative
 * or no numbers are no hints; 0 is one, and waits for a second, but in an outcome: a model that fills in every key
 * writes it, and what is blocked would be run again and again.
 */
export const retryHint = (
  outcome: Option.Option<Outcome>,
  execution: Pick<Execution, "retryAfterSeconds" | "hintText">,
  service: Option.Option<HintService>
): Option.Option<RetryHint> =>
  Option.flatMapNullable(outcome, (found) => found.retryAfterSeconds).pipe(
    Option.filter((seconds) => seconds > 0),
    Option.flatMap(hint("outcome")),
    Option.orElse(() => Option.flatMap(execution.retryAfterSeconds, hint("adapter"))),
    Option.orElse(() =>
      service.pipe(
        Option.flatMap((named) => secondsInText(execution.hintText, named)),
        Option.flatMap(hint("text"))
      )
    )
  )

const hint =
  (from: RetryHint["from"]) =>
  (seconds: number): Option.Option<RetryHint> =>
    Number.isFinite(seconds) && seconds >= 0
      ? Option.some({
          seconds: Math.min(Math.max(Math.ceil(seconds), LEAST_HINT_SECONDS), MOST_HINT_SECONDS),
          from
        })
      : Option.none()

const SECONDS = String.raw`(\d+(?:\.\d+)?)\s*(?:seconds?|secs?|s)\b`
const WORDINGS = [
  String.raw`\b(?:check in again|try again|retry)\s+(?:in|after)\s+${SECONDS}`,
  String.raw`\bretry[-_]after["']?\s*:\s*["']?(\d+(?:\.\d+)?)\b(?![-:]| *(?:m|h|d))`,
  String.raw`\bwait\s+${SECONDS}\s+before\b`
].join("|")

/** The seconds that the last wording in a text names. */
const secondsInText = (text: string, service: HintService): Option.Option<number> => {
  const end = text.slice(-MOST_TEXT)
  let last: number | undefined
  for (const match of end.matchAll(new RegExp(WORDINGS, "gi"))) {
    if (service !== "generic" && !isRateLimited(end, match.index, match.index + match[0].length)) continue
    // A number too large for a double is still a wish to wait long.
    last = Math.min(Number(match[1] ?? match[2] ?? match[3]), MOST_HINT_SECONDS)
  }
  return Option.fromNullable(last)
}

const isRateLimited = (text: string, from: number, to: number): boolean =>
  /rate[-_ ]?limit|too many requests|\b429\b/i.test(text.slice(Math.max(0, from - BESIDE), to + BESIDE))
