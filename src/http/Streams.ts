import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Cause, Context, Deferred, Effect, Fiber, Layer, Runtime, Stream } from "effect"
import { RequestRefused } from "./Failure.ts"
import { makeOutlet, type Outlet } from "./Outlet.ts"

/** Streams that are open at once. */
export const MOST_STREAMS = 256

/** The bodies that are being read, and what is held of them. */
export interface Bodies {
  count: number
  bytes: number
}

/** The responses that go on, and when they have to end; and the bodies that come. */
export class Streams extends Context.Tag("agent-runtime/http/Streams")<
  Streams,
  {
    readonly open: Set<Outlet>
    readonly bodies: Bodies
    /** What large answers hold that their clients have not taken. */
    readonly waiting: { bytes: number }
    readonly ending: Deferred.Deferred<void>
  }
>() {}

export const layer = Layer.scoped(
  Streams,
  Effect.gen(function* () {
    const open = new Set<Outlet>()
    const ending = yield* Deferred.make<void>()
    const end = Effect.sync(() => {
      for (const outlet of open) outlet.end("whole")
    })
    yield* Effect.forkScoped(Effect.zipRight(Deferred.await(ending), end))
    return { open, bodies: { count: 0, bytes: 0 }, waiting: { bytes: 0 }, ending }
  })
)

const tooMany = new RequestRefused({
  status: 429,
  code: "too_many_streams",
  error: `${MOST_STREAMS} streams are open, no more are taken; close a page, or come again`,
  headers: { "retry-after": "5" }
})

interface Options {
  readonly status?: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers with what is pushed into an outlet; refused while too many responses go on. `feed` begins with it and may
 * leave it to others; where it fails the response is cut off. It ends with the server, and, other than a stream of the
 * platform, also when its client takes nothing.
 */
export const pushed = <E, R>(
  feed: (outlet: Outlet) => Effect.Effect<void, E, R>,
  { contentType, headers = {}, status = 200 }: Options
) =>
  Effect.gen(function* () {
    const { ending, open } = yield* Streams
    const { method } = yield* HttpServerRequest.HttpServerRequest
    // Nobody would read it.
    if (method === "HEAD")
      return HttpServerResponse.empty({ status, headers: { ...headers, "content-type": contentType } })
    if (open.size >= MOST_STREAMS) return yield* tooMany
    const runFork = Runtime.runFork(yield* Effect.runtime<R>())
    let feeder: Fiber.RuntimeFiber<void> | undefined
    const outlet = makeOutlet(() => {
      open.delete(outlet)
      if (feeder !== undefined) runFork(Fiber.interruptFork(feeder))
    })
    const feeding = Effect.catchAllCause(feed(outlet), (cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.void
        : // A client that comes back resumes where it was.
          Effect.zipRight(
            Effect.logWarning("A response ended half-way", cause),
            Effect.sync(() => outlet.end("cut"))
          )
    )
    open.add(outlet)
    if (yield* Deferred.isDone(ending)) outlet.end("whole")
    else
      feeder = runFork(
        Effect.ensuring(
          feeding,
          Effect.sync(() => {
            feeder = undefined
          })
        )
      )
    return HttpServerResponse.raw(outlet.body, { status, contentType, headers })
  })

/** Answers with a stream that is read as fast as the client takes it; see pushed. */
export const streamed = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, options: Options) =>
  pushed(
    (outlet) =>
      Effect.zipRight(
        Stream.runForEach(stream, (bytes) =>
          Effect.zipRight(
            outlet.isDry,
            Effect.sync(() => outlet.push(bytes))
          )
        ),
        Effect.sync(() => outlet.end("whole"))
      ),
    options
  )
