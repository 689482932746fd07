import { DateTime, Option } from "effect"
import type { ArtifactRole } from "../artifact/Declared.ts"
import type { AdapterMode } from "../domain/Attempt.ts"
import { counted } from "../domain/Figure.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Task } from "../domain/Task.ts"
import type { RoundFacts } from "./Claim.ts"

/** What a written artifact is made from. */
export interface Answer {
  readonly task: Pick<Task, "taskId" | "kind" | "payload" | "subject">
  readonly attemptId: string
  readonly adapterId: string
  readonly mode: AdapterMode
  readonly outcome: Outcome
  /** The adapter's raw answer. */
  readonly rawOutput: string
  readonly writtenAt: DateTime.Utc
  readonly round: RoundFacts
  /** Masks secret values; what is written goes through it. */
  readonly redact: (text: string) => string
}

const MOST_PAYLOAD = 64 * 1024
const MOST_OUTPUT = 256 * 1024
const MOST_HEADING = 200

/** Artifacts of a phase begin with its word, by which the next phase knows them. */
const HEADING: Readonly<Record<ArtifactRole, string>> = {
  output: "",
  checklist: "",
  required: "",
  proposal: "Plan: ",
  implementation: "Execution report: ",
  verification: "Verification report: "
}

/** An artifact in Markdown: subject, ids, summary, payload and the adapter's raw answer. */
export const render = (answer: Answer, role: ArtifactRole): string => {
  const { task, outcome } = answer
  const subject = Option.getOrElse(task.subject, () => task.kind)
  return `${[
    mark(task.taskId),
    `# ${HEADING[role]}${oneLine(subject)}`,
    [
      `- task: ${code(task.taskId)}`,
      `- kind: ${code(task.kind)}`,
      `- attempt: ${code(answer.attemptId)}`,
      `- adapter: ${code(answer.adapterId)}`,
      `- written by: runtime, ${DateTime.formatIso(answer.writtenAt)}`
    ].join("\n"),
    "## Summary",
    quote(outcome.operatorSummary),
    "## Payload",
    fenced(cut(JSON.stringify(task.payload, null, 2), MOST_PAYLOAD), "json"),
    "## Raw output",
    fenced(cut(answer.rawOutput, MOST_OUTPUT), "text")
  ].join("\n\n")}\n`
}

/** Whether a text begins as what the runtime wrote for this task. */
export const isOwnOf = (taskId: string, text: string): boolean => text.startsWith(mark(taskId))

const mark = (taskId: string): string =>
  `<!-- agent-runtime written_by=runtime task=${taskId.replace(/[^A-Za-z0-9-]/g, "_")} -->`

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, MOST_HEADING)

const code = (text: string): string => `\`${oneLine(text).replaceAll("`", "'")}\``

/** As a quotation, so that no heading in it passes for one of the artifact's own. */
const quote = (text: string): string =>
  text
    .trim()
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n")

/** In a fence that is longer than every run of backticks inside, so that nothing in it can end it. */
const fenced = (text: string, language: string): string => {
  let longest = 2
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  const fence = "`".repeat(longest + 1)
  return `${fence}${language}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`
}

const cut = (text: string, most: number): string =>
  text.length <= most
    ? text
    : `${text.slice(0, most).toWellFormed()}\n… (${counted(text.length - most)} more characters)`
