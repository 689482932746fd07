import { Effect, Schema } from "effect"
import { EventId } from "../domain/Ids.ts"
import { RunEvent } from "../domain/RunEvent.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { State } from "../operate/answers/State.ts"
import { state } from "../operate/State.ts"
import { Store } from "../store/Store.ts"

/** Events that one frame gathers at most; it ends with an id that is a multiple, so that frames come to be the same. */
const MOST_EVENTS = 512
/** Bytes of the events of one frame, where it has more than one. */
const MOST_BYTES = 128 * 1024
/** Bytes of the newest events that are kept as text: clients that were cut off come back for the same ones. */
const MOST_KEPT = 4 * 1024 * 1024
/** Older stretches that are kept beside, for clients that come back from further behind, and their bytes. */
const MOST_OLDER = 4
const MOST_OLDER_KEPT = 1024 * 1024

/** Frames of which the bytes are kept. */
const MOST_SHARED = 32

/** Between two readings the event loop turns: fibers that only yield to each other would not let it. */
const BREATH = "1 millis"

/** An event as it is told. */
interface Told {
  readonly id: number
  readonly text: string
  readonly bytes: number
}

/** Events that follow one another. */
export interface Page {
  readonly events: ReadonlyArray<Told>
  /** Whether there were no more of them when they were read. */
  readonly isLast: boolean
}

const encodeEvents = onFirstUse(() => Schema.encode(Schema.Array(RunEvent)))
const encodeState = onFirstUse(() => Schema.encode(State))

/** The state of now as JSON. */
export const stateText = Effect.suspend(() =>
  Effect.map(Effect.flatMap(state(), encodeState()).pipe(Effect.catchTag("ParseError", Effect.die)), (wire) =>
    JSON.stringify(wire)
  )
)

const encoder = new TextEncoder()

const opening = (events: ReadonlyArray<Told>): string =>
  `id: ${events.at(-1)?.id}\nevent: events\ndata: {"events":[${events.map(({ text }) => text).join(",")}],"state":`

const closing = (state: string): string => `${state}}\n\n`

/** Events and the state after them as a frame; its id is the last event's. */
export const eventsFrame = (events: ReadonlyArray<Told>, state: string): Uint8Array =>
  encoder.encode(opening(events) + closing(state))

/** As eventsFrame, in pieces of which the large one is the same for all who are told the same events. */
const makeShared = () => {
  const known = new Map<string, Uint8Array>()
  return (events: ReadonlyArray<Told>, state: string): ReadonlyArray<Uint8Array> => {
    const key = `${events[0]?.id} ${events.at(-1)?.id}`
    const bytes = known.get(key) ?? encoder.encode(opening(events))
    known.delete(key)
    if (bytes.length < 2 * MOST_BYTES) known.set(key, bytes)
    for (const oldest of known.keys()) if (known.size > MOST_SHARED) known.delete(oldest)
    return [bytes, encoder.encode(closing(state))]
  }
}

/** Events from a place in a list on, of so many bytes and one at least. */
const beginning = (all: ReadonlyArray<Told>, most: number, from = 0): Array<Told> => {
  const found: Array<Told> = []
  let size = 0
  for (let at = from; at < all.length && found.length < MOST_EVENTS; at++) {
    const one = all[at]
    if (one === undefined || (found.length > 0 && size + one.bytes > most)) break
    found.push(one)
    size += one.bytes
    if (one.id % MOST_EVENTS === 0) break
  }
  return found
}

/** Events without a hole between them: all whose id is above `after`, up to the last. */
interface Stretch {
  after: number
  readonly events: Array<Told>
}

const lastOf = ({ after, events }: Stretch): number => events.at(-1)?.id ?? after

/** The events of a stretch that follow an id, as many as one frame holds; undefined where the next is not in it. */
const inside = (stretch: Stretch, id: number): ReadonlyArray<Told> | undefined => {
  const { after, events } = stretch
  if (id < after || id >= lastOf(stretch)) return undefined
  // Ids rise by one, or by more.
  let at = Math.min(events.length, id - after)
  while (at > 0 && (events[at - 1]?.id ?? 0) > id) at--
  return beginning(events, MOST_BYTES, at)
}

/** What was read last, as it is told: the newest stretch of the history, and a few older ones. */
const makeKept = () => {
  const newest: Stretch = { after: 0, events: [] }
  const older: Array<Stretch> = []
  let size = 0
  // Whether there was no more behind the newest when it was read.
  let isWhole = false
  const grow = (events: ReadonlyArray<Told>): void => {
    for (const one of events) {
      newest.events.push(one)
      size += one.bytes
    }
    let gone = 0
    for (; size > MOST_KEPT && gone < newest.events.length; gone++) size -= newest.events[gone]?.bytes ?? 0
    newest.after = newest.events[gone - 1]?.id ?? newest.after
    newest.events.splice(0, gone)
  }
  return {
    page: (id: number): Page | undefined => {
      const events = inside(newest, id)
      if (events !== undefined) return { events, isLast: isWhole && events.at(-1)?.id === lastOf(newest) }
      for (const one of older) {
        const found = inside(one, id)
        if (found !== undefined) return { events: found, isLast: false }
      }
      return undefined
    },
    add: (after: number, events: ReadonlyArray<Told>, isLast: boolean): void => {
      const last = lastOf(newest)
      if (after < last) {
        if (older.push({ after, events: beginning(events, MOST_OLDER_KEPT) }) > MOST_OLDER) older.shift()
        return
      }
      if (after > last) {
        newest.after = after
        newest.events.length = 0
        size = 0
      }
      isWhole = isLast
      grow(events)
    }
  }
}

/** The history, read a frame at a time and each event made into text once for all who come for it. */
export const makeHistory = Effect.gen(function* () {
  const store = yield* Store
  const turn = yield* Effect.makeSemaphore(1)
  const kept = makeKept()

  const read = (id: number) =>
    Effect.gen(function* () {
      const limit = MOST_EVENTS - (id % MOST_EVENTS)
      const events = yield* store.events.since(EventId.make(id), limit)
      const isLast = events.length < limit
      const wire = yield* Effect.catchTag(encodeEvents()(events), "ParseError", Effect.die)
      const told = wire.map((one): Told => {
        const text = JSON.stringify(one)
        return { id: one.id, text, bytes: Buffer.byteLength(text) }
      })
      kept.add(id, told, isLast)
      const fit = beginning(told, MOST_BYTES)
      return { events: fit, isLast: isLast && fit.length === told.length } satisfies Page
    })

  const knownOrRead = (id: number) =>
    Effect.suspend(() => {
      const page = kept.page(id)
      return page === undefined ? read(id) : Effect.succeed(page)
    })

  /** The events after an id, as many as a frame holds; many who ask at once do not hold up the event loop. */
  const page = (id: number) =>
    Effect.suspend(() => {
      const found = kept.page(id)
      return found === undefined
        ? turn.withPermits(1)(Effect.zipLeft(knownOrRead(id), Effect.sleep(BREATH)))
        : Effect.succeed(found)
    })
  return { page, pieces: makeShared() }
})
