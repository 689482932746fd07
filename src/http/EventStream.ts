import { HttpServerRequest } from "@effect/platform"
import { Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { State } from "../operate/answers/State.ts"
import { state } from "../operate/State.ts"
import { Store } from "../store/Store.ts"
import { caller } from "./Caller.ts"
import { stateText } from "./History.ts"
import type { Outlet } from "./Outlet.ts"
import { frame, lastEventId } from "./Sse.ts"
import { pushed } from "./Streams.ts"
import { BETWEEN_FRAMES, Tail } from "./Tail.ts"

/** Where a stream begins: after which event, and whether what the client asks for is gone. */
interface Start {
  readonly after: number
  readonly reset: Option.Option<{ readonly oldest: number }>
}

/** An id that this history has not come to yet is of another one, a backup's perhaps: nothing follows it. */
const startOf = (asked: Option.Option<number>) =>
  Effect.gen(function* () {
    const { events } = yield* Store
    const latest = yield* events.latest
    if (Option.isNone(asked)) return { after: latest, reset: Option.none() } satisfies Start
    const oldest = yield* events.oldest
    if (asked.value > latest) return { after: latest, reset: Option.some({ oldest }) }
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
    const data = JSON.stringify({ ...now, runtime_policy: runtimePolicy, role, signed_in: signedIn })
    return frame({ event: "dashboard", id: after, data })
  })

/** Tells what is there already, frame by frame as fast as the client takes it, and hands the client to the tail. */
const following = (first: ReadonlyArray<Uint8Array>, start: number) => (outlet: Outlet) =>
  Effect.gen(function* () {
    const tail = yield* Tail
    for (const bytes of first) {
      outlet.push(bytes)
      yield* Effect.sleep(BETWEEN_FRAMES)
    }
    for (let after = start; ; yield* Effect.sleep(BETWEEN_FRAMES)) {
      const { events, isLast } = yield* tail.page(after)
      if (events.length > 0) {
        yield* outlet.isDry
        for (const piece of tail.pieces(events, yield* stateText)) outlet.push(piece)
      }
      after = events.at(-1)?.id ?? after
      if (isLast && (yield* tail.join(after, outlet))) return
    }
  })

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
      ...Option.toArray(Option.map(reset, (told) => frame({ event: "reset", data: JSON.stringify(told) }))),
      yield* dashboard(after)
    ]
    return yield* pushed(following(first, after), {
      contentType: "text/event-stream",
      headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
    })
  })
