import { plural } from "./Words.ts"

interface Delta {
  readonly before: number | null
  readonly after: number | null
  readonly delta: number | null
}

interface Change {
  readonly instance_key: string
  readonly from?: string | null
  readonly to?: string | null
  readonly state?: string | null
}

/** The difference of two snapshots. */
export interface Report {
  readonly completed_task_delta: Delta
  readonly queued_task_delta: Delta
  readonly new_artifacts_created: ReadonlyArray<string>
  readonly workflow_state_changes: {
    readonly new: ReadonlyArray<Change>
    readonly advanced: ReadonlyArray<Change>
    readonly completed: ReadonlyArray<Change>
  }
  readonly blocked_or_retryable_tasks: ReadonlyArray<{ readonly [key: string]: unknown }>
  readonly ended_idle: boolean | null
  readonly partial?: ReadonlyArray<string>
}

const queue = ({ after, delta }: Delta): string =>
  delta === null || after === null
    ? "How the queue changed is not known."
    : delta === 0
      ? `The queue stayed as it was: ${plural(after, "task")}.`
      : `The queue ${delta > 0 ? "grew" : "shrank"} by ${plural(Math.abs(delta), "task")} to ${plural(after, "task")}.`

const some = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`

/** What a report says, in sentences. */
export const reportSentences = (report: Report): ReadonlyArray<string> => {
  const { advanced, completed, new: opened } = report.workflow_state_changes
  const done = report.completed_task_delta.delta
  const waiting = report.blocked_or_retryable_tasks.length
  return [
    done === null
      ? "How many tasks were completed is not known."
      : `${plural(done, "task")} ${done === 1 ? "was" : "were"} completed.`,
    queue(report.queued_task_delta),
    report.new_artifacts_created.length === 0
      ? "No artifact was created."
      : `${plural(report.new_artifacts_created.length, "artifact")} ${report.new_artifacts_created.length === 1 ? "was" : "were"} created: ${some(report.new_artifacts_created)}.`,
    ...(opened.length === 0 ? [] : [`Workflows opened: ${some(opened.map((one) => one.instance_key))}.`]),
    ...(advanced.length === 0
      ? []
      : [
          `Workflows that went on: ${some(advanced.map((one) => `${one.instance_key} (${one.from ?? "?"} to ${one.to ?? "?"})`))}.`
        ]),
    ...(completed.length === 0
      ? []
      : [`Workflows completed: ${some(completed.map((one) => one.instance_key))}.`]),
    waiting === 0
      ? "Nothing was blocked or waiting to be tried again."
      : `${plural(waiting, "task")} ${waiting === 1 ? "was" : "were"} blocked or waiting to be tried again.`,
    ...(report.ended_idle === null
      ? []
      : [report.ended_idle ? "It ended idle: nothing was left to do." : "It did not end idle."]),
    ...((report.partial ?? []).length === 0
      ? []
      : [`Not all is told: ${some(report.partial ?? [])} did not fit into a snapshot.`])
  ]
}
