import { Context, Effect, Layer, Ref, Stream } from "effect"
import { RequestRefused } from "./Failure.ts"

/** Streams that are open at once. */
export const MOST_STREAMS = 256

/** How many streams are open. */
export class Streams extends Context.Tag("agent-runtime/http/Streams")<Streams, Ref.Ref<number>>() {}

export const layer = Layer.effect(Streams, Ref.make(0))

const tooMany = new RequestRefused({
  status: 429,
  code: "too_many_streams",
  error: `${MOST_STREAMS} streams are open, no more are taken; close a page, or come again`,
  headers: { "retry-after": "5" }
})

/**
 * Counts a stream while it is open; refused while too many are. It is counted from here on, so it must be run; its
 * requirements are provided now, for it runs when its request has been answered.
 */
export const opening = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Stream.Stream<Uint8Array, E>, RequestRefused, R | Streams> =>
  Effect.gen(function* () {
    const open = yield* Streams
    const context = yield* Effect.context<R>()
    const isTaken = yield* Ref.modify(open, (count) =>
      count < MOST_STREAMS ? ([true, count + 1] as const) : ([false, count] as const)
    )
    if (!isTaken) return yield* tooMany
    return stream.pipe(
      Stream.ensuring(Ref.update(open, (count) => count - 1)),
      Stream.provideContext(context)
    )
  })
