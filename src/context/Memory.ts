import { Effect, Option, Schema } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Task } from "../domain/Task.ts"
import { canonicalText, sha256 } from "./Canonical.ts"
import { literally } from "./HandOver.ts"
import { oneLine } from "./Plain.ts"

/** An earlier outcome of the same kind, as the prompt shows it and as the bundle names it. */
export interface Memory {
  readonly taskId: string
  /** Of the canonical JSON of the whole outcome. */
  readonly sha256: string
  readonly line: string
}

/** Outcomes that are shown at most. */
export const MOST_MEMORIES = 5
const MOST_SUMMARY = 280

/**
 * The outcomes of other tasks of the same kind, one line each, in the order given (the latest first) and at
 * most five. No time is in them: the same outcomes give the same lines.
 */
export const memories = (
  task: Pick<Task, "taskId" | "kind">,
  recent: ReadonlyArray<Task>
): Effect.Effect<ReadonlyArray<Memory>> =>
  Effect.forEach(
    recent
      .filter((one) => one.kind === task.kind && one.taskId !== task.taskId)
      .flatMap((one) => Option.match(one.outcome, { onNone: () => [], onSome: (o) => [{ one, o }] }))
      .slice(0, MOST_MEMORIES),
    ({ one, o }) =>
      Effect.map(sha256(canonicalText(encode(o))), (hash) => ({
        taskId: one.taskId,
        sha256: hash,
        line: line(one.taskId, hash, o)
      }))
  )

const encode = Schema.encodeSync(Outcome)

const line = (taskId: string, hash: string, outcome: Outcome): string =>
  literally(
    `- ${oneLine(taskId)} (sha256 ${hash}): ${outcome.status}: ${abridged(oneLine(outcome.operatorSummary), MOST_SUMMARY)}`
  )
