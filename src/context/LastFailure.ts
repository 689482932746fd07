import { Option } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { type AdapterMode, isModelBacked } from "../domain/Attempt.ts"
import { counted } from "../domain/Figure.ts"
import type { Profile } from "../domain/Profile.ts"
import { literally } from "./HandOver.ts"
import { oneLine } from "./Plain.ts"

/** How the attempt before this one ended. `attemptNumber` is for the caller's records and enters no prompt. */
export interface LastFailure {
  readonly attemptNumber: number
  /** One line; empty where there is none. */
  readonly reason: string
  /** Verification issues, permission denials and the adapter's other findings. */
  readonly issues: ReadonlyArray<string>
}

const MOST_REASON = 500
const MOST_ISSUE = 300
const MOST_ISSUES = 20

/**
 * The section "what failed last time": the operator's note, the reason, the issues. None when there is nothing
 * to tell, or when the profile does not want it and no operator wrote a note. Without a word of the profile it
 * is told to model-backed adapters. A changed attempt number changes nothing.
 */
export const lastFailureText = (
  policy: Profile["contextPolicy"],
  mode: AdapterMode,
  last: Option.Option<LastFailure>,
  note: Option.Option<string>
): Option.Option<string> => {
  const words = note.pipe(
    Option.map((text) => text.trim()),
    Option.filter((text) => text !== "")
  )
  const wanted = (policy.includeLastFailure ?? isModelBacked(mode)) || Option.isSome(words)
  const lines = [
    ...Option.match(words, {
      onNone: () => [],
      onSome: (text) => [`Your operator says:\n${literally(text)}`]
    }),
    ...Option.match(last, { onNone: () => [], onSome: failureLines })
  ]
  return wanted && lines.length > 0 ? Option.some(lines.join("\n")) : Option.none()
}

const failureLines = (last: LastFailure): ReadonlyArray<string> => {
  const more = last.issues.length - MOST_ISSUES
  const found = [
    ...(last.reason.trim() === "" ? [] : [`- reason: ${abridged(oneLine(last.reason), MOST_REASON)}`]),
    ...last.issues.slice(0, MOST_ISSUES).map((issue) => `- issue: ${abridged(oneLine(issue), MOST_ISSUE)}`),
    ...(more > 0 ? [`- and ${counted(more)} more issues`] : [])
  ]
  return found.length === 0
    ? []
    : ["How the attempt before this one ended; do not repeat what failed:", ...found.map(literally)]
}
