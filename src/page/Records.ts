import { type Api, type Problem, problem } from "./Api.ts"
import type { Cell } from "./Cell.ts"
import type { RunEvent } from "./Wire.ts"

/** What is known of one address: its last answer, and why the newest one did not come. */
export interface Known<A> {
  readonly data: A | undefined
  readonly error: Problem | undefined
  /** When the answer came. */
  readonly at: number
}

/** Whether an event changes what an address answers. */
export type Touches = (event: RunEvent) => boolean

/** An answer that is younger is not asked for again by a part that is drawn anew. */
const FRESH_MS = 700
/** The pause before a record is asked for again; it doubles while things go on happening, and no further than this. */
const LEAST_PAUSE_MS = 150
const MOST_PAUSE_MS = 1_200
/** After so long without being asked for a record is quick again. */
const CALM_MS = 2_500
/** So many answers are kept for the way back. */
const MOST_KEPT = 60

interface Entry {
  known: Known<unknown>
  readonly users: Set<{ readonly touches: Touches; readonly draw: () => void }>
  asked: number
  pause: number
  /** Something happened since it was asked. */
  dirty: boolean
  timer: ReturnType<typeof setTimeout> | undefined
  inFlight: AbortController | undefined
}

/** Answers of the API, kept by address and asked for anew when something happens that touches them. */
export const makeRecords = (
  api: Api,
  onEvents: (listener: (events: ReadonlyArray<RunEvent>) => void) => () => void,
  epoch: Cell<number>
) => {
  const entries = new Map<string, Entry>()

  const entryOf = (path: string): Entry => {
    const found = entries.get(path)
    if (found !== undefined) {
      entries.delete(path)
      entries.set(path, found)
      return found
    }
    const made: Entry = {
      known: { data: undefined, error: undefined, at: 0 },
      users: new Set(),
      asked: 0,
      pause: LEAST_PAUSE_MS,
      dirty: false,
      timer: undefined,
      inFlight: undefined
    }
    entries.set(path, made)
    for (const [old, { users }] of entries) {
      if (entries.size <= MOST_KEPT) break
      if (users.size === 0) entries.delete(old)
    }
    return made
  }

  const load = (path: string, entry: Entry): void => {
    clearTimeout(entry.timer)
    entry.timer = undefined
    entry.inFlight?.abort()
    const asking = new AbortController()
    entry.inFlight = asking
    const now = Date.now()
    entry.pause = now - entry.asked > CALM_MS ? LEAST_PAUSE_MS : Math.min(MOST_PAUSE_MS, 2 * entry.pause)
    entry.asked = now
    entry.dirty = false
    const answered = (known: Known<unknown>) => {
      if (entry.inFlight !== asking) return
      entry.inFlight = undefined
      entry.known = known
      for (const { draw } of entry.users) draw()
      if (entry.dirty) soon(path, entry)
    }
    api.get<unknown>(path, asking.signal).then(
      (data) => answered({ data, error: undefined, at: Date.now() }),
      (error: unknown) => answered({ ...entry.known, error: problem(error) })
    )
  }

  const soon = (path: string, entry: Entry): void => {
    if (entry.inFlight !== undefined) entry.dirty = true
    if (entry.inFlight !== undefined || entry.timer !== undefined) return
    const wait = Math.max(0, entry.asked + entry.pause - Date.now())
    entry.timer = setTimeout(() => load(path, entry), wait)
  }

  const each = (isTouched: (entry: Entry) => boolean): void => {
    for (const [path, entry] of entries)
      if (entry.users.size === 0) entry.known = { ...entry.known, at: 0 }
      else if (isTouched(entry)) soon(path, entry)
  }

  onEvents((events) => each(({ users }) => [...users].some(({ touches }) => events.some(touches))))
  epoch.watch(() => each(() => true))

  return {
    /** What is known of an address now. */
    peek: (path: string): Known<unknown> => entryOf(path).known,
    /** Keeps an address fresh for as long as somebody uses it. */
    use: (path: string, touches: Touches, draw: () => void): (() => void) => {
      const entry = entryOf(path)
      const user = { touches, draw }
      entry.users.add(user)
      if (entry.inFlight === undefined && Date.now() - entry.known.at > FRESH_MS) load(path, entry)
      return () => {
        entry.users.delete(user)
        if (entry.users.size > 0) return
        // What was still to be asked for is asked for by whoever comes next.
        if (entry.timer !== undefined || entry.inFlight !== undefined) entry.known = { ...entry.known, at: 0 }
        clearTimeout(entry.timer)
        entry.timer = undefined
        entry.inFlight?.abort()
        entry.inFlight = undefined
      }
    },
    /** Asks for an address anew, at once. */
    again: (path: string): void => load(path, entryOf(path))
  }
}

export type Records = ReturnType<typeof makeRecords>

/** Every event of a task, and what changes what tasks wait for. */
export const touchesTasks: Touches = ({ event_type, task_id }) =>
  task_id !== null || event_type.startsWith("dispatch_") || event_type === "adapter_cooldown"
