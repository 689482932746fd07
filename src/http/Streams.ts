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
 * Counts a stream while it is read; refused while too many are. Its requirements are provided now, for it is read
 * when its request has been answered.
 */
export const opening = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Stream.Stream<Uint8Array, E>, RequestRefused, R | Streams> =>
  Effect.gen(function* () {
    const open = yield* Streams
    const context = yield* Effect.context<R>()
    if ((yield* Ref.get(open)) >= MOST_STREAMS) return yield* tooMany
    const counted = Stream.acquireRelease(
      Ref.update(open, (count) => count + 1),
      () => Ref.update(open, (count) => count - 1)
    )
    return Stream.flatMap(counted, () => stream).pipe(Stream.provideContext(context))
  })
