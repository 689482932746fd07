import { Effect, Option } from "effect"
import { forOperator, type Reply, type ServerFailed } from "./ModelServerCall.ts"

/**
 * A line of a stream, or a frame or an object of several, is not read beyond this: servers that do not stream send the whole
 * answer, of at most 8 MiB, in one, and JSON may write a character as six.
 */
export const MAX_LINE_BYTES = 16 * 1024 * 1024

/** What becomes of reading after a line: it goes on, the answer is whole, or it failed. */
export type Taken = "more" | "done" | ServerFailed

/**
 * Hands the lines of an answer to `take`, without their ends (LF or CRLF), until it is done or the stream is
 * at its end, which may come without a last line's end. Fails when the connection breaks and when a line is
 * longer than 16 MiB; what `take` finds fault with is answered, not failed with.
 */
export const readLines = (
  reply: Reply,
  take: (line: string) => Taken
): Effect.Effect<"done" | "end" | ServerFailed, ServerFailed> =>
  Effect.gen(function* () {
    const lines = makeLines(take)
    for (;;) {
      const chunk = yield* reply.next
      const taken = Option.match(chunk, { onNone: lines.end, onSome: lines.push })
      if (taken !== "more") return taken
      if (Option.isNone(chunk)) return "end"
    }
  })

const LF = 0x0a
const CR = 0x0d
// It would be the same another time.
const tooLong = (): ServerFailed =>
  forOperator(
    `the server sent a line of more than ${MAX_LINE_BYTES} bytes, longer than any answer that is taken: check the adapter's endpoint, or have the task ask for a shorter answer`
  )

/**
 * Puts an object together that was sent over several lines, as servers do that indent what they do not stream: it begins
 * with a line that is `{` alone and ends with one that is `}` alone, neither of which a stream of events has.
 */
const makeObjects = (take: (line: string) => Taken) => {
  let lines: Array<string> = []
  let size = 0
  const whole = (): Taken => {
    const text = lines.join("\n")
    lines = []
    size = 0
    return take(text)
  }
  return {
    line: (line: string): Taken => {
      if (lines.length === 0 && line !== "{") return take(line)
      size += line.length + 1
      if (size > MAX_LINE_BYTES) return tooLong()
      lines.push(line)
      return line === "}" ? whole() : "more"
    },
    /** What broke off in the middle is taken as it is. */
    end: (): Taken => (lines.length === 0 ? "more" : whole())
  }
}

/** Pieces of a stream of events with LF at each line's end, where CR or CRLF may stand as well. */
export const makeLineFeeds = () => {
  let wasCr = false
  return (chunk: Uint8Array): Uint8Array => {
    if (!wasCr && !chunk.includes(CR)) return chunk
    const fed = new Uint8Array(chunk.length)
    let size = 0
    for (const byte of chunk) {
      const isRest = wasCr && byte === LF
      wasCr = byte === CR
      if (!isRest) fed[size++] = wasCr ? LF : byte
    }
    return fed.subarray(0, size)
  }
}

const makeLines = (take: (line: string) => Taken) => {
  const objects = makeObjects(take)
  let held = new Uint8Array(8192)
  let used = 0
  let isFirst = true
  const first = new TextDecoder()
  const rest = new TextDecoder("utf-8", { ignoreBOM: true })
  const hold = (bytes: Uint8Array): boolean => {
    const wanted = used + bytes.length
    if (wanted > MAX_LINE_BYTES) return false
    if (wanted > held.length) {
      const grown = new Uint8Array(Math.min(MAX_LINE_BYTES, Math.max(wanted, 2 * held.length)))
      grown.set(held.subarray(0, used))
      held = grown
    }
    held.set(bytes, used)
    used = wanted
    return true
  }
  const line = (): Taken => {
    const end = held[used - 1] === CR ? used - 1 : used
    used = 0
    // Only the first line may begin with a byte order mark.
    const text = end === 0 ? "" : (isFirst ? first : rest).decode(held.subarray(0, end))
    isFirst = false
    return objects.line(text)
  }
  return {
    push: (chunk: Uint8Array): Taken => {
      for (let from = 0; ; ) {
        const at = chunk.indexOf(LF, from)
        if (!hold(chunk.subarray(from, at === -1 ? chunk.length : at))) return tooLong()
        if (at === -1) return "more"
        const taken = line()
        if (taken !== "more") return taken
        from = at + 1
      }
    },
    end: (): Taken => {
      const last = used > 0 ? line() : "more"
      return last === "more" ? objects.end() : last
    }
  }
}

/**
 * Reads lines as server-sent events: `take` gets the data of each. Comments and other fields are passed over;
 * a bare JSON object, which some servers send for an error, is taken as an event of its own. `end` is for a
 * last event that no empty line follows.
 */
export const makeEvents = (take: (data: string) => Taken) => {
  let data: Array<string> = []
  let size = 0
  const dispatch = (): Taken => {
    if (data.length === 0) return "more"
    const whole = data.join("\n")
    data = []
    size = 0
    return take(whole)
  }
  return {
    line: (line: string): Taken => {
      if (line === "") return dispatch()
      if (line.startsWith("{")) return take(line)
      if (!line.startsWith("data:")) return "more"
      const text = line.slice(line.startsWith("data: ") ? 6 : 5)
      size += text.length + 1
      if (size > MAX_LINE_BYTES) return tooLong()
      data.push(text)
      return "more"
    },
    end: dispatch
  }
}
