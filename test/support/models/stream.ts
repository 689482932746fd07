import type { Pace } from "./scenario.ts"

/** A piece of a stream: text as it goes over the wire, its `part` of the answer where the pace acts on it. */
export interface Piece {
  readonly text: string
  /** Whether this piece brings a part of the answer; the others frame it. */
  readonly part?: boolean
}

export interface StreamOptions {
  readonly pace: Pace
  readonly type: "text/event-stream" | "application/x-ndjson"
  /** What the protocol sends when it fails in the middle of an answer. */
  readonly failure: string
}

const SLOW_MS = 250
const CUT_AFTER_MS = 100

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A server-sent event. */
export const event = (data: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

/** Text in parts of so many characters, one at least. */
export const partsOf = (text: string, size: number): ReadonlyArray<string> =>
  text === "" ? [""] : Array.from(text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [])

/** Sends the pieces at the pace; one that stalls stays open until its reader goes away. */
export const stream = (pieces: ReadonlyArray<Piece>, { failure, pace, type }: StreamOptions): Response => {
  const gone = Promise.withResolvers<void>()
  const body = new ReadableStream<Uint8Array>({
    start: async (to) => {
      const send = (text: string) => to.enqueue(new TextEncoder().encode(text))
      try {
        for (const { part, text } of pieces) {
          if (part === true && pace === "stalls") return await gone.promise
          send(text)
          if (part !== true) continue
          if (pace === "slow") await pause(SLOW_MS)
          if (pace === "cut") {
            await pause(CUT_AFTER_MS)
            return to.error(undefined)
          }
          if (pace === "fails") {
            send(failure)
            break
          }
        }
        to.close()
      } catch {
        // The reader went away while the answer was under way.
      }
    },
    cancel: () => gone.resolve()
  })
  return new Response(body, { headers: { "content-type": type } })
}
