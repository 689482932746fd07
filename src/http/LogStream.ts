import { HttpServerRequest } from "@effect/platform"
import { Effect, Stream } from "effect"
import { attemptOf, fileOf, type LogName, logBytes, logSize, present } from "../operate/AttemptLog.ts"
import { RequestRefused } from "./Failure.ts"
import { peer } from "./Listener.ts"
import { partOf } from "./Range.ts"
import { streamed } from "./Streams.ts"

const TEXT = "text/plain; charset=utf-8"

/** The first so many bytes: a log that grows meanwhile must not say more than was announced. */
const first = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, length: number) =>
  bytes.pipe(
    Stream.mapAccum(
      length,
      (left, piece) => [left - piece.length, piece.subarray(0, Math.max(0, left))] as const
    ),
    Stream.takeWhile((piece) => piece.length > 0)
  )

const unsatisfiable = (size: number) =>
  new RequestRefused({
    status: 416,
    code: "range_unsatisfiable",
    error: `the log has ${size} bytes`,
    headers: { "content-range": `bytes */${size}` }
  })

/** The attempt whose log can be told, for which `present` has nothing to refuse. */
const attemptWith = (id: string, name: LogName) =>
  Effect.tap(attemptOf(id), (attempt) => present(attempt, fileOf(name)))

/** An attempt's log as it lies on the disk, or a part of it. */
const lying = (id: string, name: LogName) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const attempt = yield* attemptWith(id, name)
    const size = yield* logSize(attempt, fileOf(name))
    // Nothing names a state of a log: a part that is wanted only of the one that is known is never sure to be of it.
    const isSure = request.headers["if-range"] === undefined
    // Of a HEAD there are no parts (RFC 9110, section 14.2).
    const part = isSure && request.method === "GET" ? partOf(request.headers.range, size) : undefined
    if (part === "unsatisfiable") return yield* unsatisfiable(size)
    const { from, length } = part ?? { from: 0, length: size }
    const bytes = first(logBytes(attempt, fileOf(name), { from, follow: false }), length)
    return yield* streamed(bytes, {
      status: part === undefined ? 200 : 206,
      contentType: TEXT,
      headers: {
        "content-length": String(length),
        "accept-ranges": "bytes",
        ...(part === undefined ? {} : { "content-range": `bytes ${from}-${from + length - 1}/${size}` })
      }
    })
  })

/** An attempt's log as it grows, until the attempt has ended; from the first byte of a range where one is named. */
const growing = (id: string, name: LogName) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const attempt = yield* attemptWith(id, name)
    const from = Number(/^bytes=(\d{1,15})-$/i.exec(request.headers.range ?? "")?.[1] ?? 0)
    // An attempt may be silent for hours.
    const { patient } = yield* peer
    patient()
    return yield* streamed(logBytes(attempt, fileOf(name), { from, follow: true }), { contentType: TEXT })
  })

/** Answers with what an attempt printed. */
export const logStream = (id: string, name: LogName, follow: boolean) =>
  follow ? growing(id, name) : lying(id, name)
