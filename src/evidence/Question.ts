import { isBlank } from "../domain/Blank.ts"
import type { Outcome, Question } from "../domain/Outcome.ts"

/** What is put to an operator stands in lists and in the next prompt: so long, and no longer. */
const MOST_TEXT = 4_000
const MOST_CHOICES = 20
/** UTF-16 units of a choice that can be shown. */
export const MOST_CHOICE = 500

/** An outcome whose question can be put to an operator, if it asks one, and what was left out of it. */
export interface Asking {
  readonly outcome: Outcome
  readonly remarks: ReadonlyArray<string>
}

/**
 * Only a blocked outcome asks. Of its question, text and choices are shortened to what can be shown, and a default
 * that is not among the choices is left out: nothing is decided by an answer that nobody could have chosen.
 */
export const asking = (outcome: Outcome): Asking => {
  const { question, ...rest } = outcome
  if (question === undefined) return { outcome, remarks: [] }
  const without = (...remarks: ReadonlyArray<string>): Asking => ({ outcome: rest, remarks })
  const text = legible(question.text, MOST_TEXT)
  if (outcome.status !== "blocked")
    return text === "" ? without() : without("question: left out, only an outcome that is blocked asks one")
  if (text === "") return without("question: left out, its text is blank")
  const offered = [...new Set(question.choices.map((one) => legible(one, MOST_CHOICE)))].filter(
    (one) => one !== ""
  )
  const choices = offered.slice(0, MOST_CHOICES)
  const byDefault = question.default === undefined ? "" : legible(question.default, MOST_CHOICE)
  const isOffered = byDefault !== "" && (choices.length === 0 || choices.includes(byDefault))
  const put: Question = {
    text,
    choices,
    ...(question.expiresAt === undefined ? {} : { expiresAt: question.expiresAt }),
    ...(isOffered ? { default: byDefault } : {})
  }
  return {
    outcome: { ...rest, question: put },
    remarks: [
      ...(offered.length > MOST_CHOICES
        ? [`question: ${offered.length} choices, of which the first ${MOST_CHOICES} are offered`]
        : []),
      ...(byDefault === "" || isOffered
        ? []
        : [`question: its default ${JSON.stringify(byDefault)} was left out, it is not among its choices`])
    ]
  }
}

/** Empty where nothing can be seen; without control characters, which terminals and pages would act upon, and not longer than can be shown. */
const legible = (text: string, most: number): string => {
  const plain = text
    .toWellFormed()
    .replace(/\p{Cc}/gu, (char) => (char === "\n" || char === "\t" ? char : ""))
    .trim()
  if (isBlank(plain)) return ""
  return plain.length > most ? `${plain.slice(0, most - 1)}…`.toWellFormed() : plain
}
