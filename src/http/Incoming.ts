import { HttpServerRequest } from "@effect/platform"
import { Effect, Exit } from "effect"
import { RequestRefused } from "./Failure.ts"
import { type Bodies, Streams } from "./Streams.ts"

/** Bodies that are read at once: each that comes slowly is held for as long as a request may take. */
const MOST_BODIES = 512
/** Bytes of all of them together that are held at once; bodies that are small find room all the same. */
const MOST_HELD = 32 * 1024 * 1024
const SMALL = 64 * 1024

const tooMany = (what: string) =>
  new RequestRefused({
    status: 429,
    code: "too_many_bodies",
    error: `${what}, no more are taken; come again`,
    headers: { "retry-after": "1", connection: "close" }
  })

const tooManyBodies = tooMany(`${MOST_BODIES} requests are still sending their bodies`)
const tooManyBytes = tooMany(`${MOST_HELD / 1024 / 1024} MiB of bodies that are not complete are held`)

const tooLarge = (most: number) =>
  new RequestRefused({
    status: 413,
    code: "body_too_large",
    error: `the body is larger than ${most / 1024} KiB`
  })

const broken = new RequestRefused({
  status: 400,
  code: "body_unreadable",
  error: "the body ended before it was complete"
})

// A byte may come at a time: what has come lies in one piece, not in as many as there were.
const appended = (held: Uint8Array, size: number, part: Uint8Array): Uint8Array => {
  const needed = size + part.length
  const room = needed <= held.length ? held : new Uint8Array(Math.max(needed, 2 * held.length))
  if (room !== held) room.set(held.subarray(0, size))
  room.set(part, size)
  return room
}

interface Reader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

/** Reads on to the end, or to the reason why not. */
const gathered = async (
  reader: Reader,
  bodies: Bodies,
  most: number,
  mine: { bytes: number }
): Promise<Uint8Array | RequestRefused> => {
  let held: Uint8Array = new Uint8Array(0)
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) return held.subarray(0, mine.bytes)
    held = appended(held, mine.bytes, value)
    mine.bytes += value.length
    bodies.bytes += value.length
    if (mine.bytes > most) return tooLarge(most)
    if (mine.bytes > SMALL && bodies.bytes > MOST_HELD) return tooManyBytes
  }
}

const reading = (body: ReadableStream<Uint8Array>, bodies: Bodies, most: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      bodies.count++
      return { reader: body.getReader(), mine: { bytes: 0 } }
    }),
    ({ mine, reader }) =>
      bodies.count > MOST_BODIES
        ? tooManyBodies
        : Effect.flatMap(
            Effect.tryPromise({ try: () => gathered(reader, bodies, most, mine), catch: () => broken }),
            (found) => (found instanceof RequestRefused ? found : Effect.succeed(found))
          ),
    ({ mine, reader }, exit) =>
      Effect.suspend(() => {
        bodies.count--
        bodies.bytes -= mine.bytes
        // What is not wanted may still come; nobody waits for it.
        return Exit.isSuccess(exit)
          ? Effect.void
          : Effect.forkDaemon(Effect.ignore(Effect.tryPromise(() => reader.cancel())))
      })
  )

/** The bytes of the body of the request that is answered; refused where they are more than `most`. */
export const bodyBytes = (most: number) =>
  Effect.gen(function* () {
    const { headers, source } = yield* HttpServerRequest.HttpServerRequest
    const told = Number(headers["content-length"] ?? 0)
    if (told > most) return yield* tooLarge(most)
    if (told === 0 && headers["transfer-encoding"] === undefined) return new Uint8Array(0)
    const body = source instanceof Request ? source.body : null
    const { bodies } = yield* Streams
    return body === null ? new Uint8Array(0) : yield* reading(body, bodies, most)
  })
