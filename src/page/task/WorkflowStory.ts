import type { RunEvent } from "../Wire.ts"
import { plainReason, plainWords, type Tone } from "../Words.ts"

const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** A way that a workflow went: when, on what, and how long it had been where it came from. */
export interface Way {
  readonly id: number
  readonly at: string
  readonly from: string
  readonly to: string
  readonly signal: string
  readonly stayedMs: number
  readonly taskId: string | null
}

const isWay = ({ event_type }: RunEvent): boolean =>
  event_type === "workflow_transitioned" || event_type === "workflow_completed"

/** The ways that a workflow has gone, oldest first, from its history. */
export const waysIn = (history: ReadonlyArray<RunEvent>, created: string): ReadonlyArray<Way> => {
  let entered = Date.parse(created)
  return history.filter(isWay).map(({ created_at, detail, id, task_id }) => {
    const stayedMs = Math.max(0, Date.parse(created_at) - entered)
    entered = Date.parse(created_at)
    return {
      id,
      at: created_at,
      from: text(detail.from),
      to: text(detail.to),
      signal: text(detail.signal),
      stayedMs,
      taskId: task_id
    }
  })
}

/** A moment of a workflow's life beside its ways, in words. */
export interface Happening {
  readonly id: number
  readonly at: string
  readonly tone: Tone
  readonly words: string
  readonly taskId: string | null
}

const because = (words: string, reason: unknown): string =>
  text(reason) === "" ? words : `${words}: ${plainReason(text(reason))}`

const ENDS: Readonly<Record<string, readonly [string, Tone]>> = {
  completed: ["Task completed", "completed"],
  blocked: ["Task blocked", "blocked"],
  permanent_failure: ["Task failed", "failed"],
  retryable_failure: ["Task will be tried again", "waiting"]
}

const said = ({ detail, event_type }: RunEvent): readonly [words: string, tone: Tone] => {
  switch (event_type) {
    case "workflow_created":
      return [`Opened in ${text(detail.state)}`, "waiting"]
    case "workflow_task_created":
      return [`Task for ${text(detail.state)} queued`, "waiting"]
    case "workflow_stalled":
      return [because("Stalled", detail.reason), "blocked"]
    case "task_started":
      return [`Started by ${text(detail.adapter_id)}`, "running"]
    case "task_finished": {
      const [words, tone] = ENDS[text(detail.status)] ?? ["Task ended", "completed" as const]
      return [because(words, detail.reason), tone]
    }
    case "task_operator_canceled":
      return [because("Task canceled", detail.reason), "canceled"]
    case "task_retried":
      return [because("Task retried", detail.note), "waiting"]
    default:
      return [because(plainWords(event_type), detail.reason), "waiting"]
  }
}

/** Moments that another one beside them says better, or that are the task's own story. */
const SAID_ELSEWHERE: ReadonlyArray<string> = [
  "task_enqueued",
  "task_claimed",
  "bundle_compiled",
  "task_attempt_finished"
]

/** What happened to a workflow beside the ways that it went, oldest first, each thing once. */
export const happenings = (history: ReadonlyArray<RunEvent>): ReadonlyArray<Happening> =>
  history
    .filter((event) => !isWay(event) && !SAID_ELSEWHERE.includes(event.event_type))
    .map((event) => {
      const [words, tone] = said(event)
      return { id: event.id, at: event.created_at, tone, words, taskId: event.task_id }
    })

/** What is to be said of a history that does not go back to the beginning; nothing of one that does. */
export const lostWords = (history: ReadonlyArray<RunEvent>): string | undefined => {
  if (history.length === 0)
    return "Its history was pruned: which way it went, and when, is not known any more."
  return history[0]?.event_type === "workflow_created"
    ? undefined
    : "What happened before was pruned, and the ways that it went then are not drawn."
}
