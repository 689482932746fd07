import { HttpServerRequest } from "@effect/platform"
import { Deferred, Effect, Option, Schema, Scope, Stream } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { EventId } from "../domain/Ids.ts"
import { State } from "../operate/answers/State.ts"
import { state } from "../operate/State.ts"
import { Store } from "../store/Store.ts"
import { caller } from "./Caller.ts"
import { COMMENT, frame, lastEventId } from "./Sse.ts"
import { streamed } from "./Streams.ts"
import { BETWEEN_FRAMES, eventsFrame, PAGE, type Place, Tail } from "./Tail.ts"

/** How often a silent stream says that it is alive. */
const BETWEEN_COMMENTS = "15 seconds"

/** Where a stream begins: after which event, and whether what the client asks for is gone. */
interface Start {
  readonly after: number
  readonly reset: Option.Option<{ readonly oldest: number }>
}

/** An id that this history has not come to yet is of another one, a backup's perhaps: nothing follows it. */
const startOf = (asked: Option.Option<number>) =>
  Effect.gen(function* () {
    const { events } = yield* Store
    const newest = (yield* events.newest(1)).at(-1)?.id ?? 0
    if (Option.isNone(asked)) return { after: newest, reset: Option.none() } satisfies Start
    const oldest = yield* events.oldest
    if (asked.value > newest) return { after: newest, reset: Option.some({ oldest }) }
    return asked.value < oldest - 1
      ? { after: oldest - 1, reset: Option.some({ oldest }) }
      : { after: asked.value, reset: Option.none() }
  })

/** The state, what the page says of the runtime, and who asks: by which token, and what that may do. */
const dashboard = (after: number) =>
  Effect.gen(function* () {
    const { runtimePolicy } = yield* RuntimeConfig
    const { hasToken, name, role } = yield* caller
    const signedIn = hasToken ? name : null
    const now = yield* Effect.orDie(Schema.encode(State)(yield* state()))
    return frame({
      event: "dashboard",
      id: after,
      data: { ...now, runtime_policy: runtimePolicy, role, signed_in: signedIn }
    })
  })

/** What the tail feeds a client, a little after its last frame; a comment where there is nothing for long. */
const fed = (place: Place) =>
  Stream.concat(
    Stream.execute(Effect.sleep(BETWEEN_FRAMES)),
    Stream.repeatEffect(
      Effect.timeoutTo(place, {
        duration: BETWEEN_COMMENTS,
        onSuccess: (bytes) => bytes,
        onTimeout: () => COMMENT
      })
    )
  )

/** The history after an event: first what is there, page by page as fast as the client takes it, then the tail. */
const following = (start: number, isDropped: Deferred.Deferred<void>) =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const tail = yield* Tail
      const store = yield* Store
      const scope = yield* Effect.scope
      const page = (after: number) =>
        Effect.gen(function* () {
          yield* Effect.sleep(BETWEEN_FRAMES)
          const events = yield* store.events.since(EventId.make(after), PAGE)
          const last = events.at(-1)?.id ?? after
          const told = events.length === 0 ? Stream.empty : Stream.make(yield* eventsFrame(events))
          const place =
            events.length < PAGE
              ? yield* Effect.provideService(tail.join(last, isDropped), Scope.Scope, scope)
              : false
          return place === false
            ? ([told, Option.some(last)] as const)
            : ([Stream.concat(told, fed(place)), Option.none<number>()] as const)
        })
      return Stream.flatten(Stream.paginateEffect(start, page))
    })
  )

/** Answers with the live history; see SPEC.md section 15. */
export const eventStream = (since: Option.Option<number>) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const asked = Option.orElse(
      Option.fromNullable(lastEventId(request.headers["last-event-id"])),
      () => since
    )
    const { after, reset } = yield* startOf(asked)
    const first = [
      ...Option.toArray(Option.map(reset, (told) => frame({ event: "reset", data: told }))),
      yield* dashboard(after)
    ]
    const isDropped = yield* Deferred.make<void>()
    const frames = Stream.concat(Stream.fromIterable(first), following(after, isDropped)).pipe(
      // A client that comes back resumes where it was: the fault is in the log.
      Stream.tapErrorCause((cause) => Effect.logWarning("A stream of the history ended", cause))
    )
    return yield* streamed(frames, {
      contentType: "text/event-stream",
      headers: { "cache-control": "no-store", "x-accel-buffering": "no" },
      cut: Deferred.await(isDropped)
    })
  })
