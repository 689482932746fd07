import { type Api, Problem } from "./Api.ts"
import { makeReader } from "./EventStream.ts"
import { dashboardIn, eventsIn, NotUnderstood } from "./Frame.ts"
import type { RunEvent, State } from "./Wire.ts"
import { moment } from "./Words.ts"

/** How the page stands to its server. `since` is when it was last heard, `again` when it is tried next. */
export type Phase =
  | { readonly is: "live" }
  | {
      readonly is: "reconnecting" | "offline"
      readonly since: number
      readonly again: number
      /** The server answers, in words that this page does not know. */
      readonly foreign?: boolean
      /** The server answers that it wants a token; all tabs of a browser have the same, or none. */
      readonly locked?: boolean
    }

/** What a stream tells once, when it begins: the runtime's policy, and what whoever listens may do. */
export interface Standing {
  readonly policy: string | undefined
  readonly role: "read" | "operate"
  /** The name of the token by which they came, where it is by one. */
  readonly signedIn: string | undefined
}

/** What a stream tells, gathered; `reset` says that what is known of the history is no longer all of it. */
export type News =
  | { readonly tells: "phase"; readonly phase: Phase }
  | { readonly tells: "state"; readonly state: State; readonly of: Standing | undefined }
  | { readonly tells: "events"; readonly events: ReadonlyArray<RunEvent>; readonly state: State }
  | { readonly tells: "reset" }

/** The server says a comment every 15 s; one that lets two of them go by is gone. */
const SILENCE_MS = 31_000
/** So long a loss is called reconnecting, then offline. */
const PATIENCE_MS = 15_000
/** Without a token nothing is to be had; signing in tries at once. */
const LOCKED_MS = 60_000
const DELAYS_MS = [300, 1_000, 2_000, 4_000, 8_000]

/** The wait before the next try, after so many that failed. */
export const delayAfter = (failed: number): number =>
  DELAYS_MS[Math.min(failed, DELAYS_MS.length - 1)] ?? 8_000

/** What a loss is called, by how long it has lasted. */
export const lost = (since: number, now: number, delay: number): Exclude<Phase, { readonly is: "live" }> => ({
  is: now - since > PATIENCE_MS ? "offline" : "reconnecting",
  since,
  again: now + delay
})

/** A phase in the words of a live region: the same for as long as it lasts, so that they are read out once. */
export const phaseWords = (phase: Phase, now: number, utc: boolean): string =>
  phase.is === "offline" ? `offline since ${moment(new Date(phase.since).toISOString(), now, utc)}` : phase.is

const asleep = (ms: number, signal: AbortSignal, wake: (call: () => void) => void): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, ms)
    const end = () => {
      clearTimeout(timer)
      done()
    }
    signal.addEventListener("abort", end, { once: true })
    wake(end)
  })

/** What a frame tells; nothing where it is one that this page does not ask for. */
const readFrame = (event: string, data: string): News | undefined => {
  if (event === "dashboard") return { tells: "state", ...dashboardIn(data) }
  if (event === "events") return { tells: "events", ...eventsIn(data) }
  return event === "reset" ? { tells: "reset" } : undefined
}

export interface Connection {
  /** Tries at once instead of waiting for its turn; where a try is under way that fails, again behind it. */
  readonly now: () => void
}

/**
 * Keeps the stream of the history open until the signal aborts, resuming behind the last event that it told;
 * says what happens to `tell`, in the time of `time` (ms).
 */
export const keepOpen = (
  api: Api,
  time: () => number,
  lastId: { get: () => string | undefined; set: (id: string) => void },
  tell: (news: News) => void,
  signal: AbortSignal
): Connection => {
  let wake = () => {}
  /** Somebody asked for a try since the last one began. */
  let isAsked = false
  let since: number | undefined
  let heardAt: number | undefined
  let failed = 0
  const once = async (): Promise<void> => {
    const silence = new AbortController()
    const stop = () => silence.abort()
    signal.addEventListener("abort", stop, { once: true })
    let alarm = setTimeout(stop, SILENCE_MS)
    const heard = () => {
      heardAt = time()
      clearTimeout(alarm)
      alarm = setTimeout(stop, SILENCE_MS)
    }
    try {
      const last = lastId.get()
      const response = await api.open("/api/stream", {
        headers: { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": last }) },
        signal: silence.signal
      })
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      const messages = makeReader()
      for (;;) {
        const piece = await reader?.read()
        if (piece === undefined || piece.done) return
        heard()
        for (const { data, event, id } of messages.push(piece.value)) {
          // Read before it counts as told: what could not be read is asked for again.
          const news = readFrame(event, data)
          if (id !== undefined) lastId.set(id)
          if (news !== undefined) tell(news)
          if (event === "dashboard") {
            since = undefined
            failed = 0
            isAsked = false
            tell({ tells: "phase", phase: { is: "live" } })
          }
        }
      }
    } finally {
      clearTimeout(alarm)
      signal.removeEventListener("abort", stop)
      silence.abort()
    }
  }
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      isAsked = false
      const why = await once().then(
        () => undefined,
        (error: unknown) => error
      )
      const isLocked = why instanceof Problem && why.status === 401
      const isForeign = why instanceof NotUnderstood
      if (signal.aborted) return
      const now = time()
      // What is shown is as old as what was heard last, not as its loss was noticed.
      since ??= heardAt ?? now
      // Asked before whoever asked had signed in, or before the server was there, it says nothing of how it is now.
      if (isAsked) continue
      const delay = isLocked ? LOCKED_MS : delayAfter(isForeign ? DELAYS_MS.length : failed++)
      const phase = lost(since, now, delay)
      tell({
        tells: "phase",
        phase: { ...phase, ...(isForeign ? { foreign: true } : {}), ...(isLocked ? { locked: true } : {}) }
      })
      await asleep(delay, signal, (call) => {
        wake = call
      })
    }
  }
  void keep()
  return {
    now: () => {
      isAsked = true
      wake()
    }
  }
}
