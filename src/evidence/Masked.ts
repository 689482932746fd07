import { Option } from "effect"
import type { Execution } from "../adapter/AdapterRegistry.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { type Redactor, redactJson } from "../domain/Redactor.ts"

/**
 * The outcome with all its free texts masked, those inside of follow-ups and messages too. Statuses and numbers
 * are the runtime's own words and stay.
 */
export const maskedOutcome = (outcome: Outcome, redactor: Redactor): Outcome => {
  if (redactor.isIdle) return outcome
  const { text } = redactor
  const { question, workflowSignal } = outcome
  return {
    ...outcome,
    operatorSummary: text(outcome.operatorSummary),
    fileChanges: outcome.fileChanges.map(text),
    artifactPaths: outcome.artifactPaths.map(text),
    followUpTasks: outcome.followUpTasks.map((one) => redactJson(one, redactor)),
    externalMessages: outcome.externalMessages.map((one) => redactJson(one, redactor)),
    ...(workflowSignal === undefined ? {} : { workflowSignal: text(workflowSignal) }),
    ...(question === undefined ? {} : { question: maskedQuestion(question, redactor) })
  }
}

const maskedQuestion = (question: NonNullable<Outcome["question"]>, { text }: Redactor) => ({
  ...question,
  text: text(question.text),
  choices: question.choices.map(text),
  ...(question.default === undefined ? {} : { default: text(question.default) })
})

/** The execution with everything masked that is told of it; its last message and hint text stay raw. */
export const maskedExecution = (execution: Execution): Execution => {
  const { text } = execution.redactor
  return {
    ...execution,
    reason: Option.map(execution.reason, text),
    survivors: execution.survivors.map(text),
    diagnostics: execution.diagnostics.map(text)
  }
}

/** A fault with its words masked: those of a parser quote what they stumbled over. */
export const maskedFault = (fault: unknown, { text }: Redactor): Error => {
  if (!(fault instanceof Error)) return new Error(text(String(fault)))
  const told = new Error(text(fault.message))
  told.name = fault.name
  if (fault.stack !== undefined) told.stack = text(fault.stack)
  return told
}
