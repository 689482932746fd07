import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Cause, Effect } from "effect"
import { failure } from "./Answer.ts"
import { RequestRefused } from "./Failure.ts"
import { Streams } from "./Streams.ts"

/** Bytes of an answer that is worth counting, and of the pieces in which it is given out. */
const PIECE = 64 * 1024
/** Bytes of such answers that wait for their clients at once. */
const MOST_WAITING = 32 * 1024 * 1024

const tooMany = new RequestRefused({
  status: 429,
  code: "too_many_answers",
  error: `${MOST_WAITING / 1024 / 1024} MiB of answers wait for clients that do not take them, no more are given; come again, or ask for less`,
  headers: { "retry-after": "5" }
})

/** The bytes piece by piece, as they are taken; `done` is called when the last one is, or the client has gone. */
const inPieces = (bytes: Uint8Array, done: () => void): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(bytes.subarray(at, at + PIECE))
      at += PIECE
      if (at < bytes.length) return
      controller.close()
      done()
    },
    cancel: done
  })
}

/**
 * The same response, so that a large one counts for as long as its client takes it: refused while too much waits for
 * others. Whoever asks for much and takes nothing would else fill the memory.
 */
export const takenInPieces = (response: HttpServerResponse.HttpServerResponse) =>
  Effect.gen(function* () {
    const { body } = response
    const { method } = yield* HttpServerRequest.HttpServerRequest
    if (body._tag !== "Uint8Array" || body.body.length <= PIECE || method === "HEAD") return response
    const { waiting } = yield* Streams
    const bytes = body.body
    // What was changed is told in any case.
    if (method === "GET" && waiting.bytes + bytes.length > MOST_WAITING)
      return yield* failure(Cause.fail(tooMany))
    waiting.bytes += bytes.length
    let left = bytes.length
    const done = () => {
      waiting.bytes -= left
      left = 0
    }
    return HttpServerResponse.raw(inPieces(bytes, done), {
      status: response.status,
      headers: { ...response.headers, "content-length": String(bytes.length) },
      cookies: response.cookies,
      contentType: body.contentType
    })
  })
