import { Context, Effect, Layer, Queue, Ref, Schedule, Stream } from "effect"
import type { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Lock } from "../dispatch/Lock.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import { eventsFrame, makeHistory, type Page, stateText } from "./History.ts"
import type { Outlet } from "./Outlet.ts"
import { COMMENT } from "./Sse.ts"

/** A stream gets no more than ten frames a second: nine at this pace, and the last one before it joined the others. */
export const BETWEEN_FRAMES = "115 millis"
/** How often a stream says that it is alive. */
const BETWEEN_COMMENTS = "15 seconds"
/** Bytes that may wait for a client; one that lets more pile up is dropped and comes back by id. */
export const MOST_WAITING = 256 * 1024

/** Frames more that streams are told when the server ends. */
const LAST_FRAMES = 3

/** A client that is fed by the tail. */
interface Follower {
  readonly outlet: Outlet
  /** The last event that it has been told, or is being told. */
  after: number
}

/** One reading of the history that feeds every client. */
export class Tail extends Context.Tag("agent-runtime/http/Tail")<
  Tail,
  {
    /** The events after an id, as many as one frame holds. */
    readonly page: (after: number) => Effect.Effect<Page, StoreUnavailable>
    /** The frame of such events, in pieces that follow one another. */
    readonly pieces: (events: Page["events"], state: string) => ReadonlyArray<Uint8Array>
    /**
     * Takes a client on that has been told all up to `after`, until its response ends; it is cut off when it lets too
     * much pile up. False: the tail is further on, tell it the events in between and come again.
     */
    readonly join: (after: number, outlet: Outlet) => Effect.Effect<boolean>
    /** Tells all what has happened until now, at once: the server ends. */
    readonly last: Effect.Effect<void>
    /** Clients that are fed now. */
    readonly followers: Effect.Effect<number>
  }
>() {}

const make = Effect.gen(function* () {
  const context = yield* Effect.context<Lock | RuntimeConfig | Store>()
  const store = yield* Store
  const { page, pieces } = yield* makeHistory
  const all = new Set<Follower>()
  const turn = yield* Effect.makeSemaphore(1)
  const wakes = yield* Queue.sliding<void>(1)
  const cursor = yield* Ref.make(0)

  /** Those who are still there. */
  const followers = Effect.sync(() => {
    for (const one of all) if (!one.outlet.isOpen()) all.delete(one)
    return all
  })

  const push = (follower: Follower, bytes: Uint8Array, last: number): void => {
    // What waits is counted before the frame: one frame alone, however large, is no pile.
    if (follower.outlet.waiting() > MOST_WAITING) follower.outlet.end("cut")
    follower.after = last
    follower.outlet.push(bytes)
  }

  /** Tells the next events to all; false when there are none. */
  const tell = Effect.gen(function* () {
    if ((yield* followers).size === 0) return false
    const from = yield* Ref.get(cursor)
    const { events } = yield* page(from)
    const last = events.at(-1)
    if (last === undefined) return false
    const state = yield* stateText
    const whole = eventsFrame(events, state)
    for (const follower of all) {
      // It had read on by itself before it joined.
      const rest = follower.after <= from ? events : events.filter(({ id }) => id > follower.after)
      if (rest.length > 0) push(follower, rest === events ? whole : eventsFrame(rest, state), last.id)
    }
    yield* Ref.set(cursor, last.id)
    return true
  }).pipe(turn.withPermits(1))

  const last = Effect.repeat(tell, { times: LAST_FRAMES, while: (more) => more }).pipe(
    Effect.ignore,
    Effect.provide(context)
  )

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

  const commenting = Effect.map(followers, (found) => {
    for (const { outlet } of found) if (outlet.waiting() === 0) outlet.push(COMMENT)
  })

  const join = (after: number, outlet: Outlet) =>
    Effect.gen(function* () {
      if ((yield* followers).size === 0) yield* Ref.set(cursor, after)
      if (after < (yield* Ref.get(cursor))) return false
      all.add({ outlet, after })
      // What was committed since the client was told the history is told as well.
      yield* Queue.offer(wakes, undefined)
      return true
    }).pipe(turn.withPermits(1))

  yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Queue.offer(wakes, undefined)))
  yield* Effect.forkScoped(telling)
  yield* Effect.forkScoped(Effect.schedule(commenting, Schedule.spaced(BETWEEN_COMMENTS)))
  return Tail.of({
    page,
    pieces,
    join,
    last,
    followers: Effect.map(followers, (found) => found.size)
  })
})

/** See Tail. */
export const layer = Layer.scoped(Tail, make)
