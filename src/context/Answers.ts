import { Option } from "effect"
import { abridged } from "../domain/Abridged.ts"
import type { AskedQuestion } from "../domain/AskedQuestion.ts"
import { literally } from "./HandOver.ts"
import { oneLine } from "./Plain.ts"

/** What an earlier attempt asked and what it was answered, as far as a prompt tells it. */
export type GivenAnswer = Pick<AskedQuestion, "text" | "choices" | "answer" | "answeredBy">

const MOST_ANSWERS = 10
const MOST_QUESTION = 2_000

/**
 * The section "questions that were answered", oldest first; none where nothing was asked. Who answered and when
 * enters no prompt, only whether somebody did: equal answers give equal hashes.
 */
export const answersText = (answers: ReadonlyArray<GivenAnswer>): Option.Option<string> =>
  answers.length === 0
    ? Option.none()
    : Option.some(
        [
          "An earlier attempt at this task asked; what was answered holds. Go on from it, do not ask it again.",
          ...answers.slice(-MOST_ANSWERS).map(one)
        ].join("\n")
      )

const one = ({ answer, answeredBy, choices, text }: GivenAnswer): string => {
  const isByDefault = Option.exists(answeredBy, ({ surface }) => surface === "dispatch")
  const given = Option.getOrElse(answer, () => "")
  // A choice and a default are a model's words: they must not look like a part of the prompt.
  const isOffered = isByDefault || choices.includes(given)
  return [
    `- Question: ${literally(abridged(oneLine(text), MOST_QUESTION))}`,
    ...(choices.length === 0
      ? []
      : [`  Offered: ${choices.map((choice) => literally(JSON.stringify(choice))).join(", ")}`]),
    `  ${isByDefault ? "Nobody answered in time, so the default holds" : "Your operator answers"}: ${literally(
      isOffered ? oneLine(given) : given.replace(/\r\n?|[\n\u2028\u2029]/g, "\n    ")
    )}`
  ].join("\n")
}
