import type { Attempt, RunEvent, Story } from "../Wire.ts"
import { actorWords, beginning, duration, plainReason, plainWords, quoted, type Tone } from "../Words.ts"

/** A moment of a task's life, in words. */
export interface Moment {
  readonly at: string
  readonly words: string
  readonly tone: Tone
  /** Time since the moment before it, where it is worth telling. */
  readonly after: string | undefined
  readonly detail: string | undefined
  /** The id of another task that it is about. */
  readonly taskId: string | undefined
}

const shortened = (words: string): string => beginning(words, 160)

const text = (event: RunEvent, key: string): string | undefined => {
  const value = event.detail[key]
  if (typeof value === "number") return String(value)
  if (typeof value !== "string" || value === "") return undefined
  if (key === "bundle_hash") return value.slice(0, 16)
  if (key === "outbox_id") return value.slice(0, 13)
  if (key === "runner_id") return `by ${actorWords({ name: value })}`
  // How long, not until when: the moment of the event stands beside it, in the reader's own time.
  if (key === "available_at") return `in ${duration(Date.parse(value) - Date.parse(event.created_at))}`
  if (key === "answer") return `answered ${quoted(value)}`
  return key === "reason" ? shortened(plainReason(value)) : value
}

const TOLD: Readonly<Record<string, readonly [words: string, tone: Tone, detail?: ReadonlyArray<string>]>> = {
  task_enqueued: ["Queued", "waiting"],
  follow_up_created: ["Created follow-up", "waiting"],
  // A message of another program that was refused has the same name.
  follow_up_refused: ["Refused", "canceled", ["reason"]],
  outbox_added: ["Message put into the outbox", "waiting", ["outbox_id"]],
  outbox_acked: ["Message acknowledged", "completed", ["outbox_id"]],
  task_claimed: ["Claimed", "running", ["runner_id"]],
  bundle_compiled: ["Bundle frozen", "running", ["bundle_hash"]],
  task_started: ["Adapter started", "running", ["adapter_id", "model"]],
  adapter_fallback_used: ["Fallback used", "blocked", ["adapter_id", "reason"]],
  task_attempt_finished: ["Attempt ended", "running", ["exit_status"]],
  task_retry_scheduled: ["Will be tried again", "waiting", ["reason", "available_at"]],
  rate_limit_rescheduled: ["Rate limit: waits", "waiting", ["reason", "available_at"]],
  task_cancel_requested: ["Cancel requested", "canceled", ["reason"]],
  task_operator_canceled: ["Canceled", "canceled", ["reason"]],
  task_retried: ["Retried: a fresh round", "waiting", ["answer", "note"]],
  question_asked: ["Asked", "blocked", ["question"]],
  task_replayed: ["Replayed", "waiting"],
  boot_sweep_reclaimed: ["Its runner was gone: taken back", "blocked", ["reason"]],
  dispatch_drained: ["Put back: the dispatcher was stopping", "waiting"],
  late_result_ignored: ["A late result was ignored", "canceled"],
  record_quarantined: ["Set aside: its record is damaged", "failed", ["reason"]]
}

const ENDS: Readonly<Record<string, readonly [string, Tone]>> = {
  completed: ["Completed", "completed"],
  blocked: ["Blocked", "blocked"],
  permanent_failure: ["Failed", "failed"],
  retryable_failure: ["Will be tried again", "waiting"]
}

const said = (event: RunEvent): Omit<Moment, "at" | "after"> => {
  if (event.event_type === "task_finished") {
    const [words, tone] = ENDS[text(event, "status") ?? ""] ?? ["Ended", "completed" as const]
    return { words, tone, detail: text(event, "reason"), taskId: undefined }
  }
  const [words, tone, keys = []] = TOLD[event.event_type] ?? [
    plainWords(event.event_type),
    "waiting" as const
  ]
  const detail = keys.flatMap((key) => text(event, key) ?? [])
  const who =
    event.actor.surface === "dispatch" || event.actor.surface === "runtime"
      ? []
      : [`by ${actorWords(event.actor)}`]
  const shown = [
    ...detail,
    ...(event.event_type === "task_enqueued" ||
    event.event_type.startsWith("task_operator") ||
    event.event_type === "task_retried"
      ? who
      : [])
  ]
  return {
    words,
    tone,
    detail: shown.length === 0 ? undefined : shown.join(" · "),
    taskId: text(event, "follow_up_task_id")
  }
}

/** The life of a task, moment by moment, from its events. */
export const momentsOf = (
  events: ReadonlyArray<RunEvent>,
  /** What stands above already: a detail that says the same is left out. */
  above?: string
): ReadonlyArray<Moment> =>
  events.map((event, at) => {
    const before = events[at - 1]
    const since = before === undefined ? 0 : Date.parse(event.created_at) - Date.parse(before.created_at)
    const { detail, ...told } = said(event)
    return {
      at: event.created_at,
      ...told,
      detail: above !== undefined && detail === shortened(above) ? undefined : detail,
      after: before === undefined || since < 1 ? undefined : `+${duration(since)}`
    }
  })

/** How an attempt ended, as a tone and a word; its reason stands below, once. */
export const endOf = (attempt: Attempt): readonly [Tone, string] => {
  if (attempt.status === "running") return ["running", "running"]
  if (attempt.exit_status === "canceled") return ["canceled", "canceled"]
  if (attempt.exit_status === "timeout") return ["failed", "timed out"]
  if (attempt.exit_status === "error")
    return ["failed", /exit code \d+/.exec(attempt.reason ?? "")?.[0] ?? "failed"]
  // The adapter ended well; what it reported is another matter. What was noticed may go with a success.
  if (attempt.exit_status === "ok" && /^(completed|ok)\b/.test(attempt.reason ?? "completed"))
    return ["completed", "completed"]
  if (attempt.issues.length > 0) return ["blocked", "not verified"]
  if (attempt.exit_status === "ok") return ["blocked", "blocked"]
  return ["blocked", "not started"]
}

/** Whether an attempt ended before its adapter could print anything: then there are no logs to ask for. */
export const neverBegan = ({ exit_status, reason, status }: Attempt): boolean =>
  status === "finished" &&
  (exit_status === null || /^(cannot_start|no_room): cannot start: /.test(reason ?? ""))

/** The reason of an attempt as it is to be said below it; nothing where the task's head says the same. */
export const reasonBelow = (
  { issues, reason }: Pick<Attempt, "issues" | "reason">,
  above: string | undefined
): string | undefined => {
  if (reason === null || issues.length > 0 || /^(completed|ok)$/.test(reason)) return undefined
  const plain = plainReason(reason.replace(/^(completed|ok): /, ""))
  return above !== undefined && plain === plainReason(above) ? undefined : plain
}

/** A bar on the scale that all attempts of a task share: its length, 0 to 1, and its time. */
export const barsOf = (
  attempts: ReadonlyArray<Attempt>,
  now: number
): ReadonlyArray<{ readonly length: number; readonly ms: number }> => {
  const spans = attempts.map(({ ended_at, started_at }) => {
    const from = Date.parse(started_at)
    return { from, to: Math.max(from, ended_at === null ? now : Date.parse(ended_at)) }
  })
  const longest = Math.max(1, ...spans.map(({ from, to }) => to - from))
  return spans.map(({ from, to }) => ({ length: (to - from) / longest, ms: to - from }))
}

/** The last attempt, or the one that is named. */
export const chosen = (story: Pick<Story, "attempts">, id: string | undefined): Attempt | undefined =>
  story.attempts.find(({ attempt_id }) => attempt_id === id) ?? story.attempts.at(-1)
