import { describe, expect } from "bun:test"
import { Chunk, Effect, Fiber, Option, Stream } from "effect"
import { EventId } from "../../src/domain/Ids.ts"
import { follow } from "../../src/store/EventFeed.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { inMemory, stampAt } from "../support/store.ts"

const append = Effect.flatMap(Store, (store) =>
  store.events.append(
    { type: "dispatch_idle", taskId: Option.none(), attemptId: Option.none(), detail: {} },
    stampAt(0)
  )
)

/** Several events in one commit. */
const many = (count: number) =>
  Effect.flatMap(Store, (store) => store.transact("many", Effect.replicateEffect(append, count)))

const ids = (since: number, count: number) =>
  follow(EventId.make(since)).pipe(
    Stream.take(count),
    Stream.map((event) => event.id as number),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1)

describe("the history as a stream", () => {
  it.effect("begins after its cursor with what is there, over many pages", () =>
    Effect.gen(function* () {
      yield* many(1_203)
      expect(yield* ids(0, 1_203)).toEqual(upTo(1_203))
      expect(yield* ids(1_200, 3)).toEqual([1_201, 1_202, 1_203])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("goes on with every event, in order, none twice, while other fibers write", () =>
    Effect.gen(function* () {
      yield* many(600)
      const seen = yield* Effect.fork(ids(0, 600 + 3 * 50 * 7))
      const writer = Effect.zipRight(many(7), Effect.yieldNow()).pipe(Effect.repeatN(49))
      yield* Effect.all([writer, writer, writer], { concurrency: 3 })
      expect(yield* Fiber.join(seen)).toEqual(upTo(600 + 3 * 50 * 7))
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("loses nothing to a reader that is slower than the writers", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const slow = follow(EventId.make(0)).pipe(
        Stream.take(400),
        Stream.runForEach((event) =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => void seen.push(event.id))
          )
        )
      )
      const reader = yield* Effect.fork(slow)
      yield* Effect.zipRight(append, Effect.yieldNow()).pipe(Effect.repeatN(399))
      yield* Fiber.join(reader)
      expect(seen).toEqual(upTo(400))
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("reads a page at a time, however much there is", () =>
    Effect.gen(function* () {
      yield* many(1_100)
      const store = yield* Store
      const asked: Array<number> = []
      const counting = {
        ...store,
        events: {
          ...store.events,
          since: (since: EventId, limit: number) =>
            Effect.tap(store.events.since(since, limit), (found) => void asked.push(found.length))
        }
      }
      yield* Effect.provideService(ids(0, 1_100), Store, counting)
      expect(Math.max(...asked)).toBe(500)
      expect(asked.slice(0, 3)).toEqual([500, 500, 100])
    }).pipe(Effect.provide(inMemory()))
  )
})
