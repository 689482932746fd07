import { Data, Option } from "effect"
import type { Execution } from "../adapter/AdapterRegistry.ts"
import type { Assignment } from "../artifact/Declared.ts"
import { type AdapterMode, isModelBacked } from "../domain/Attempt.ts"
import { counted } from "../domain/Figure.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { findOutcome, Reply } from "./Reply.ts"

/** What an execution says that came of the task. */
export type Normalised = Data.TaggedEnum<{
  Decoded: { readonly outcome: Outcome; readonly diagnostics: ReadonlyArray<string> }
  /** One line. */
  Undecodable: { readonly reason: string }
}>
export const Normalised = Data.taggedEnum<Normalised>()

/** A script's plain text stands in the summary up to here, with a mark where it was cut. */
export const MOST_SUMMARY_CHARACTERS = 4_000

/**
 * Turns what came back into an outcome. A model must answer with one; the plain text of a script that exits
 * 0 is a completed one, unless it holds, or may have held before it was cut, an object with a `status`, be it
 * broken, which then has to be an outcome. What a model thought, or only repeats of `prompt`, is no answer. Found outcomes are
 * raw; reasons, diagnostics and the summary that is made of plain text are masked.
 */
export const normalise = (
  mode: AdapterMode,
  task: Assignment,
  execution: Pick<Execution, "answerCut" | "exitStatus" | "lastMessage" | "redactor">,
  prompt: string
): Normalised => {
  const { answerCut, exitStatus, lastMessage, redactor } = execution
  const reading = {
    signals: acceptedSignals(task),
    mask: redactor.text,
    prompt: isModelBacked(mode) ? Option.some(prompt) : Option.none()
  }
  return Reply.$match(findOutcome(lastMessage, reading), {
    Found: ({ outcome, diagnostics }) => Normalised.Decoded({ outcome, diagnostics }),
    NotFound: ({ claims, reason }) => {
      if (answerCut && !claims) return Normalised.Undecodable({ reason: CUT })
      return isModelBacked(mode) || claims || exitStatus !== "ok"
        ? Normalised.Undecodable({ reason })
        : Normalised.Decoded({ outcome: fromPlainText(redactor.text(lastMessage)), diagnostics: [] })
    }
  })
}

const CUT = "only the last 1 MiB of the output is read; an object with a status may stand before it"

/** The words that a `goal-verify` task may answer as its status. */
const acceptedSignals = (task: Assignment): ReadonlyArray<string> => {
  const signals = task.payload.accepted_signals
  return task.kind === "goal-verify" && Array.isArray(signals)
    ? signals.filter((signal): signal is string => typeof signal === "string" && signal !== "")
    : []
}

const fromPlainText = (text: string): Outcome => ({
  status: "completed",
  operatorSummary: summaryOf(text),
  machineStatus: "ok",
  fileChanges: [],
  artifactPaths: [],
  followUpTasks: [],
  externalMessages: []
})

const summaryOf = (text: string): string => {
  const plain = text.trim()
  if (plain === "") return "The script ended with exit code 0 and printed nothing."
  const kept = legible(plain.slice(0, MOST_SUMMARY_CHARACTERS))
  const more = plain.length - MOST_SUMMARY_CHARACTERS
  return more > 0 ? `${kept}\n… (${counted(more)} more characters in stdout.log)` : kept
}

/** Without colours and control characters, which terminals and pages would act upon or show as noise. */
const legible = (text: string): string =>
  text
    .toWellFormed()
    .replace(COLOUR, "")
    .replace(/\p{Cc}/gu, (char) => (char === "\n" || char === "\t" ? char : ""))

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, "g")
