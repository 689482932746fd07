/** A line of run_events, as the table holds it. */
export interface EventRow {
  readonly id: number
  readonly event_type: string
  readonly task_id: string | null
  readonly attempt_id: string | null
  readonly detail: { readonly [key: string]: unknown }
  readonly created_at: string
}

interface Move {
  readonly from: ReadonlyArray<string>
  readonly to: string
}

const waiting = ["pending", "retryable_failure"]
const ends = ["completed", "permanent_failure", "blocked"]

/** The move of a task that an event tells; undefined for events that tell none. */
const moveOf = ({ event_type, attempt_id, detail }: EventRow): Move | undefined => {
  switch (event_type) {
    case "task_enqueued":
      return { from: ["nothing"], to: "pending" }
    case "task_claimed":
      return { from: waiting, to: "running" }
    case "task_retry_scheduled":
    case "dispatch_drained":
      return { from: ["running"], to: "retryable_failure" }
    case "rate_limit_rescheduled":
      // The end of a cool-down and a grant make due what waits for them.
      return { from: ["running", "retryable_failure"], to: "retryable_failure" }
    case "task_finished":
      return {
        from: ["running"],
        to: ends.find((status) => status === detail.status) ?? `no status (${detail.status})`
      }
    case "task_operator_canceled":
      // A task that waits or is blocked after an attempt is cancelled with that attempt named.
      return {
        from: attempt_id === null ? [...waiting, "blocked"] : [...waiting, "blocked", "running"],
        to: "operator_canceled"
      }
    case "task_retried":
      return { from: ["blocked", "permanent_failure", "operator_canceled", "completed"], to: "pending" }
    case "record_quarantined":
      return { from: waiting, to: "blocked" }
    default:
      return undefined
  }
}

export interface Told {
  /** Where the events leave the task; `nothing` when none is about it. */
  readonly status: string
  readonly problems: ReadonlyArray<string>
}

/** Follows the events of one task, oldest first: each move must be legal from where the last one led. */
export const follow = (taskId: string, events: ReadonlyArray<EventRow>): Told => {
  let status = "nothing"
  const problems: Array<string> = []
  for (const event of events) {
    const move = moveOf(event)
    if (move === undefined) continue
    if (!move.from.includes(status))
      problems.push(
        `event ${event.id} (${event.event_type}) moves task ${taskId} from ${status} to ${move.to}`
      )
    status = move.to
  }
  return { status, problems }
}

/** The event by which an attempt left its task to others, 0 when there is none: answers and cancels name it later. */
export const endOf = (attemptId: string, events: ReadonlyArray<EventRow>): number =>
  events.find((event) => {
    const move = event.attempt_id === attemptId ? moveOf(event) : undefined
    return move !== undefined && move.to !== "running" && move.from.includes("running")
  })?.id ?? 0

const times = (events: ReadonlyArray<EventRow>, type: string, attemptId: string): number =>
  events.filter((event) => event.event_type === type && event.attempt_id === attemptId).length

/** An attempt is claimed once and, when it is closed, finished once; a running one is not. */
export const attemptEvents = (
  attempt: { readonly attempt_id: string; readonly status: string },
  events: ReadonlyArray<EventRow>
): ReadonlyArray<string> => {
  const claimed = times(events, "task_claimed", attempt.attempt_id)
  const finished = times(events, "task_attempt_finished", attempt.attempt_id)
  const due = attempt.status === "running" ? 0 : 1
  return [
    ...(claimed === 1 ? [] : [`attempt ${attempt.attempt_id} was claimed ${claimed} times by the events`]),
    ...(finished === due
      ? []
      : [
          `attempt ${attempt.attempt_id} is ${attempt.status} and was finished ${finished} times by the events`
        ])
  ]
}
