/** A message of a stream of server-sent events. */
export interface Message {
  readonly event: string
  /** What a client that was cut off resumes from. */
  readonly id?: number | undefined
  /** JSON: it holds no line end, so that it is one line. */
  readonly data: string
}

const encoder = new TextEncoder()

/** A message as bytes of `text/event-stream`. */
export const frame = ({ data, event, id }: Message): Uint8Array =>
  encoder.encode(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`)

/** Says that the stream is alive; clients pass it over. */
export const COMMENT: Uint8Array = encoder.encode(": still here\n\n")

/** The id that a client resumes from, as its browser sends it; undefined when it is none. */
export const lastEventId = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined
