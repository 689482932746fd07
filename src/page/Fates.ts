import type { Fate, Status } from "./Wire.ts"
import { plural, statusWords, type Tone } from "./Words.ts"

/** What the marks of due times mean. */
export const LEGEND: ReadonlyArray<readonly [tone: Tone, words: string]> = [
  ["completed", "fired, its task completed"],
  ["failed", "its task failed, or it was refused"],
  ["blocked", "its task is blocked"],
  ["running", "its task runs"],
  ["waiting", "its task is queued or pruned"],
  ["canceled", "skipped: the last task was unfinished, or its task was canceled"],
  ["paused", "missed, made up by one run"]
]

/** The mark of a due time: of one that fired it is that of its task. */
export const toneOf = ({ fate, task_status }: Fate): Tone => {
  if (fate === "skipped_overlap") return "canceled"
  if (fate === "coalesced") return "paused"
  if (fate === "refused") return "failed"
  return task_status === null ? "waiting" : statusWords(task_status)[0]
}

/** What became of a due time, in words. */
export const fateWords = ({ fate, missed, task_id, task_status }: Fate): string => {
  switch (fate) {
    case "coalesced":
      return `${plural(missed, "due time")} missed, made up by one run`
    case "skipped_overlap":
      return "skipped: the last task was unfinished"
    case "refused":
      return "refused"
    case "fired":
      if (task_status !== null) return `fired, its task ${statusWords(task_status)[1]}`
      return task_id === null ? "fired" : "fired, its task was pruned"
    default:
      return fate
  }
}

/** The task that a due time is about: the one that it made, or the one that held it back. */
export const taskOf = ({ reason, task_id }: Fate): string | undefined =>
  task_id ?? /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.exec(reason ?? "")?.[0]

/** A blocked task is unfinished: it goes on when somebody resolves it. */
const ENDED: ReadonlySet<string> = new Set<Status>(["completed", "permanent_failure", "operator_canceled"])

/** By what a schedule is held back, and since when; undefined where its last due time was not skipped. */
export const heldBack = (
  newestFirst: ReadonlyArray<Fate>
):
  | {
      readonly count: number
      readonly lastFired: string | undefined
      readonly taskId: string | undefined
      /** Whether that task has ended since. */
      readonly ended: boolean
    }
  | undefined => {
  const [newest] = newestFirst
  if (newest?.fate !== "skipped_overlap") return undefined
  const other = newestFirst.findIndex(({ fate }) => fate !== "skipped_overlap" && fate !== "coalesced")
  const skipped = other < 0 ? newestFirst : newestFirst.slice(0, other)
  const taskId = taskOf(newest)
  const holder = newestFirst.find(({ task_id }) => task_id !== null && task_id === taskId)
  return {
    count: skipped.filter(({ fate }) => fate === "skipped_overlap").length,
    lastFired: newestFirst[other]?.first_due_at,
    taskId,
    ended: holder !== undefined && (holder.task_status === null || ENDED.has(holder.task_status))
  }
}
