import type { RunEvent, State } from "./Wire.ts"

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const COUNTS = [
  "queued",
  "running",
  "completed",
  "blocked",
  "retryable_failure",
  "permanent_failure",
  "operator_canceled"
] as const

/** Whether a value has all of a state that the page is drawn from. */
export const isState = (value: unknown): value is State =>
  isRecord(value) &&
  typeof value.runtime_name === "string" &&
  ["idle", "running", "paused"].includes(String(value.runtime_state)) &&
  isRecord(value.counts) &&
  COUNTS.every((count) => isRecord(value.counts) && Number.isFinite(value.counts[count])) &&
  isRecord(value.dispatch_paused) &&
  typeof value.dispatch_paused.paused === "boolean" &&
  isRecord(value.dispatcher) &&
  typeof value.dispatcher.held === "boolean"

/** Whether a value has all of an event that the page is drawn from. */
const isEvent = (value: unknown): value is RunEvent =>
  isRecord(value) &&
  Number.isFinite(value.id) &&
  typeof value.event_type === "string" &&
  typeof value.created_at === "string" &&
  isRecord(value.actor) &&
  typeof value.actor.name === "string" &&
  isRecord(value.detail) &&
  value.task_id !== undefined

/** What a stream said that this page cannot read: it comes from another version, or from something between. */
export class NotUnderstood extends Error {}

/** The object that a frame holds; NotUnderstood where it is none. */
const fieldsIn = (event: string, data: string): Fields => {
  try {
    const value: unknown = JSON.parse(data)
    if (isRecord(value)) return value
  } catch {
    // Said below, as of every other frame that is none.
  }
  throw new NotUnderstood(`a frame ${event} is no object`)
}

/** A `dashboard` frame: the state, what the page says of the runtime, who listens and what they may do. */
export const dashboardIn = (data: string) => {
  const { role, runtime_policy, signed_in, ...state } = fieldsIn("dashboard", data)
  if (!isState(state)) throw new NotUnderstood("a frame dashboard has not all of a state")
  return {
    state,
    of: {
      policy: typeof runtime_policy === "string" ? runtime_policy : undefined,
      role: role === "read" ? ("read" as const) : ("operate" as const),
      signedIn: typeof signed_in === "string" ? signed_in : undefined
    }
  }
}

/** An `events` frame: what happened, and the state behind it. */
export const eventsIn = (data: string) => {
  const { events, state } = fieldsIn("events", data)
  if (!Array.isArray(events) || !events.every(isEvent) || !isState(state))
    throw new NotUnderstood("a frame events has not all of events and state")
  return { events: events as ReadonlyArray<RunEvent>, state }
}
