import { type Api, Problem } from "./Api.ts"
import { makeReader } from "./EventStream.ts"
import type { RunEvent, State } from "./Wire.ts"

/** How the page stands to its server. `since` is when it was last heard, `again` when it is tried next. */
export type Phase =
  | { readonly is: "live" }
  | { readonly is: "reconnecting"; readonly since: number; readonly again: number }
  | { readonly is: "offline"; readonly since: number; readonly again: number }

/** What a stream tells once, when it begins: the runtime's policy, and what whoever listens may do. */
export interface Standing {
  readonly policy: string | undefined
  readonly role: "read" | "operate"
}

/** What a stream tells, gathered; `reset` says that what is known of the history is no longer all of it. */
export type News =
  | { readonly tells: "phase"; readonly phase: Phase }
  | { readonly tells: "state"; readonly state: State; readonly of: Standing | undefined }
  | { readonly tells: "events"; readonly events: ReadonlyArray<RunEvent>; readonly state: State }
  | { readonly tells: "reset" }

/** The server says a comment every 15 s; one that is silent for longer than two of them is gone. */
const SILENCE_MS = 40_000
/** So long a loss is called reconnecting, then offline. */
const PATIENCE_MS = 15_000
/** Without a token nothing is to be had; signing in tries at once. */
const LOCKED_MS = 60_000
const DELAYS_MS = [300, 1_000, 2_000, 4_000, 8_000]

/** The wait before the next try, after so many that failed. */
export const delayAfter = (failed: number): number =>
  DELAYS_MS[Math.min(failed, DELAYS_MS.length - 1)] ?? 8_000

/** What a loss is called, by how long it has lasted. */
export const lost = (since: number, now: number, delay: number): Phase => ({
  is: now - since > PATIENCE_MS ? "offline" : "reconnecting",
  since,
  again: now + delay
})

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

export interface Connection {
  /** Tries at once instead of waiting for its turn. */
  readonly now: () => void
}

const told = (data: string): Record<string, unknown> => JSON.parse(data)

/**
 * Keeps the stream of the history open until the signal aborts, resuming behind the last event that it told;
 * says what happens to `tell`.
 */
export const keepOpen = (
  api: Api,
  lastId: { get: () => string | undefined; set: (id: string) => void },
  tell: (news: News) => void,
  signal: AbortSignal
): Connection => {
  let wake = () => {}
  let since: number | undefined
  let failed = 0
  const once = async (): Promise<void> => {
    const silence = new AbortController()
    const stop = () => silence.abort()
    signal.addEventListener("abort", stop, { once: true })
    let alarm = setTimeout(stop, SILENCE_MS)
    const heard = () => {
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
          if (id !== undefined) lastId.set(id)
          if (event === "dashboard") {
            const { role, runtime_policy, ...state } = told(data)
            tell({
              tells: "state",
              state: state as unknown as State,
              of: {
                policy: typeof runtime_policy === "string" ? runtime_policy : undefined,
                role: role === "read" ? "read" : "operate"
              }
            })
            since = undefined
            failed = 0
            tell({ tells: "phase", phase: { is: "live" } })
          } else if (event === "events") {
            const { events, state } = told(data)
            tell({ tells: "events", events: events as ReadonlyArray<RunEvent>, state: state as State })
          } else if (event === "reset") tell({ tells: "reset" })
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
      const locked = await once().then(
        () => false,
        (error: unknown) => error instanceof Problem && error.status === 401
      )
      if (signal.aborted) return
      const now = Date.now()
      since ??= now
      const delay = locked ? LOCKED_MS : delayAfter(failed++)
      tell({ tells: "phase", phase: lost(since, now, delay) })
      await asleep(delay, signal, (call) => {
        wake = call
      })
    }
  }
  void keep()
  return { now: () => wake() }
}
