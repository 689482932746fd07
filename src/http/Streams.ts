import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Runtime, Stream } from "effect"
import { RequestRefused } from "./Failure.ts"

/** Streams that are open at once. */
export const MOST_STREAMS = 256

/** Bodies that are read at once: each that comes slowly is held for as long as a request may take. */
export const MOST_BODIES = 512

/** The responses that go on and the bodies that come: how many there are; and when responses have to end. */
export class Streams extends Context.Tag("agent-runtime/http/Streams")<
  Streams,
  {
    readonly open: Ref.Ref<number>
    readonly bodies: Ref.Ref<number>
    readonly ending: Deferred.Deferred<void>
  }
>() {}

export const layer = Layer.effect(
  Streams,
  Effect.all({ open: Ref.make(0), bodies: Ref.make(0), ending: Deferred.make<void>() })
)

const tooMany = new RequestRefused({
  status: 429,
  code: "too_many_streams",
  error: `${MOST_STREAMS} streams are open, no more are taken; close a page, or come again`,
  headers: { "retry-after": "5" }
})

const tooManyBodies = new RequestRefused({
  status: 429,
  code: "too_many_bodies",
  error: `${MOST_BODIES} requests are still sending their bodies, no more are taken; come again`,
  headers: { "retry-after": "1", connection: "close" }
})

/** Reads a body as one of those that are read at once; refused while there are too many. */
export const asBody = <A, E, R>(reading: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Streams, ({ bodies }) =>
    Effect.acquireUseRelease(
      Ref.updateAndGet(bodies, (count) => count + 1),
      (count): Effect.Effect<A, E | RequestRefused, R> => (count > MOST_BODIES ? tooManyBodies : reading),
      () => Ref.update(bodies, (count) => count - 1)
    )
  )

interface Options {
  readonly status?: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  /** Done when the client is to be cut off, whether it reads or not. */
  readonly cut?: Effect.Effect<void>
}

type End = "whole" | "cut"

/**
 * Answers with a stream; refused while too many are open. It is read as fast as the client takes it. It ends with the
 * server, and, other than a stream of the platform, also when its client takes nothing.
 */
export const streamed = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  { contentType, cut = Effect.never, headers = {}, status = 200 }: Options
) =>
  Effect.gen(function* () {
    const { ending, open } = yield* Streams
    const { method } = yield* HttpServerRequest.HttpServerRequest
    const response = { status, contentType, headers }
    // Nobody would read it.
    if (method === "HEAD")
      return HttpServerResponse.empty({ status, headers: { ...headers, "content-type": contentType } })
    if ((yield* Ref.get(open)) >= MOST_STREAMS) return yield* tooMany
    yield* Ref.update(open, (count) => count + 1)
    const runFork = Runtime.runFork(yield* Effect.runtime<R>())
    const isWanted = Effect.unsafeMakeLatch(false)
    const feeding = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      Stream.runForEach(stream, (bytes) =>
        isWanted.whenOpen(
          Effect.sync(() => {
            isWanted.unsafeClose()
            controller.enqueue(bytes)
          })
        )
      ).pipe(
        Effect.as<End>("whole"),
        Effect.raceFirst(Effect.as(Deferred.await(ending), "whole" as const)),
        Effect.raceFirst(Effect.as(cut, "cut" as const)),
        Effect.onExit((exit) =>
          Effect.zipRight(
            Ref.update(open, (count) => count - 1),
            Effect.sync(() => finish(controller, exit))
          )
        )
      )
    let feeder: Fiber.RuntimeFiber<End, E> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        feeder = runFork(feeding(controller))
      },
      pull: () => {
        isWanted.unsafeOpen()
      },
      cancel: () => {
        if (feeder !== undefined) runFork(Fiber.interruptFork(feeder))
      }
    })
    return HttpServerResponse.raw(body, response)
  })

/** A stream that is cut, or that fails half-way, must not look as if it had come to its end. */
const finish = <E>(
  controller: ReadableStreamDefaultController<Uint8Array>,
  exit: Exit.Exit<End, E>
): void => {
  if (Exit.isInterrupted(exit)) return
  if (Exit.isSuccess(exit) && exit.value === "whole") controller.close()
  else controller.error(new Error("the stream was cut off"))
}
