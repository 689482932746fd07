import { Context, Deferred, Effect, Layer, Queue, Ref, Schema, type Scope, Stream } from "effect"
import { EventId } from "../domain/Ids.ts"
import { RunEvent } from "../domain/RunEvent.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { State } from "../operate/answers/State.ts"
import { state } from "../operate/State.ts"
import { Store } from "../store/Store.ts"
import { frame } from "./Sse.ts"

/** Events that one frame gathers at most. */
export const PAGE = 1_000
/** A stream gets no more than ten frames a second, the first and the last of it counted. */
export const BETWEEN_FRAMES = "110 millis"
/** Bytes that may wait for a client; one that lets more pile up is dropped and comes back by id. */
export const MOST_WAITING = 256 * 1024

/** A client that is fed by the tail. */
interface Follower {
  /** The last event that it has been told, or is being told. */
  after: number
  waiting: number
  readonly frames: Queue.Queue<Uint8Array>
  readonly isDropped: Deferred.Deferred<void>
}

/** A client's place at the tail: the next frame, waiting for one. */
export type Place = Effect.Effect<Uint8Array>

/** One reading of the history that feeds every client. */
export class Tail extends Context.Tag("agent-runtime/http/Tail")<
  Tail,
  {
    /**
     * Takes a client on that has read up to `after`. False: the tail is further on, read the events in between and
     * come again. It is let go with the scope; `isDropped` is done when it has let too much pile up.
     */
    readonly join: (
      after: number,
      isDropped: Deferred.Deferred<void>
    ) => Effect.Effect<Place | false, never, Scope.Scope>
    /** Clients that are fed now. */
    readonly followers: Effect.Effect<number>
  }
>() {}

const encodeEvents = onFirstUse(() => Schema.encode(Schema.Array(RunEvent)))
const encodeState = onFirstUse(() => Schema.encode(State))

/** Events and the state after them as a frame; its id is the last event's. */
export const eventsFrame = (events: ReadonlyArray<RunEvent>) =>
  Effect.gen(function* () {
    const told = {
      events: yield* Effect.orDie(encodeEvents()(events)),
      state: yield* Effect.orDie(encodeState()(yield* state()))
    }
    return frame({ event: "events", id: events.at(-1)?.id, data: told })
  })

const push = (follower: Follower, bytes: Uint8Array, last: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    // What waits is counted before the frame: one frame alone, however large, is no pile.
    if (follower.waiting > MOST_WAITING) return Effect.asVoid(Deferred.succeed(follower.isDropped, undefined))
    follower.after = last
    follower.waiting += bytes.length
    return Effect.asVoid(Queue.offer(follower.frames, bytes))
  })

const make = Effect.gen(function* () {
  const store = yield* Store
  const followers = new Set<Follower>()
  const turn = yield* Effect.makeSemaphore(1)
  const wakes = yield* Queue.sliding<void>(1)
  const cursor = yield* Ref.make(0)

  /** Tells the next events to all; false when there are none. */
  const tell = Effect.gen(function* () {
    if (followers.size === 0) return false
    const from = yield* Ref.get(cursor)
    const events = yield* store.events.since(EventId.make(from), PAGE)
    const last = events.at(-1)
    if (last === undefined) return false
    const whole = yield* eventsFrame(events)
    for (const follower of followers) {
      if (follower.after <= from) yield* push(follower, whole, last.id)
      else {
        // It had read on by itself before it joined.
        const rest = events.filter(({ id }) => id > follower.after)
        if (rest.length > 0) yield* push(follower, yield* eventsFrame(rest), last.id)
      }
    }
    yield* Ref.set(cursor, last.id)
    return true
  }).pipe(turn.withPermits(1))

  const telling = Effect.gen(function* () {
    yield* Queue.take(wakes)
    while (yield* tell) yield* Effect.sleep(BETWEEN_FRAMES)
  }).pipe(
    // What the store could not be asked now is asked with the next wake, and none of it is lost.
    Effect.catchAll(({ reason }) =>
      Effect.zipRight(
        Effect.logWarning(`The history cannot be read for the streams: ${reason}`),
        Effect.zipRight(Effect.sleep("1 second"), Queue.offer(wakes, undefined))
      )
    ),
    Effect.forever
  )

  const join = (after: number, isDropped: Deferred.Deferred<void>) =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        if (followers.size === 0) yield* Ref.set(cursor, after)
        if (after < (yield* Ref.get(cursor))) return false
        const follower: Follower = {
          after,
          waiting: 0,
          frames: yield* Queue.unbounded<Uint8Array>(),
          isDropped
        }
        followers.add(follower)
        // What was committed since the client read the history is told as well.
        yield* Queue.offer(wakes, undefined)
        return follower
      }).pipe(turn.withPermits(1)),
      (follower) =>
        follower === false
          ? Effect.void
          : Effect.zipRight(
              Effect.sync(() => followers.delete(follower)),
              Queue.shutdown(follower.frames)
            )
    ).pipe(
      Effect.map((follower) =>
        follower === false
          ? (false as const)
          : Effect.tap(Queue.take(follower.frames), (bytes) =>
              Effect.sync(() => {
                follower.waiting -= bytes.length
              })
            )
      )
    )

  yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Queue.offer(wakes, undefined)))
  yield* Effect.forkScoped(telling)
  return Tail.of({ join, followers: Effect.sync(() => followers.size) })
})

/** See Tail. */
export const layer = Layer.scoped(Tail, make)
