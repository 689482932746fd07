import { expect } from "bun:test"
import { Deferred, Effect, Fiber, Logger, Option, Stream } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { events, followed } from "../../src/operate/History.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, queue, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const asked = (since: Option.Option<number>, limit: number) =>
  Effect.map(events.run({ since, limit }, DOOR.actor), (found) =>
    found.events.map((event) => event.id as number)
  )

it.effect("events after an id come oldest first, without one the newest ones", () =>
  Effect.gen(function* () {
    yield* queue()
    yield* runOnce
    expect(yield* asked(Option.some(0), 100)).toEqual([1, 2, 3, 4, 5, 6])
    expect(yield* asked(Option.some(2), 2)).toEqual([3, 4])
    expect(yield* asked(Option.none(), 2)).toEqual([5, 6])
    expect(yield* asked(Option.some(6), 2)).toEqual([])
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("following without an id shows what happens from now on, on the wire's terms", () =>
  Effect.gen(function* () {
    yield* queue()
    const ready = yield* Stream.runCollect(Stream.take(followed(Option.some(0)), 1))
    expect([...ready]).toMatchObject([{ id: 1, event_type: "task_enqueued" }])
    const store = yield* Store
    const listens = yield* Deferred.make<void>()
    const told = { ...store, changes: Stream.tap(store.changes, () => Deferred.succeed(listens, undefined)) }
    const later = yield* Stream.take(followed(Option.none()), 1).pipe(
      Stream.runCollect,
      Effect.provideService(Store, told),
      Effect.fork
    )
    yield* Deferred.await(listens)
    yield* queue()
    expect([...(yield* Fiber.join(later))]).toMatchObject([{ id: 2 }])
  }).pipe(Effect.provide(world(quiet)))
)

it.effect(
  "following an id that this history has not come to says so, and shows what happens from now on",
  () =>
    Effect.gen(function* () {
      yield* queue()
      const said: Array<string> = []
      const store = yield* Store
      const listens = yield* Deferred.make<void>()
      const told = {
        ...store,
        changes: Stream.tap(store.changes, () => Deferred.succeed(listens, undefined))
      }
      const later = yield* Stream.take(followed(Option.some(500)), 1).pipe(
        Stream.runCollect,
        Effect.provideService(Store, told),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => void said.push(String(message)))
          )
        ),
        Effect.fork
      )
      yield* Deferred.await(listens)
      yield* queue()
      expect([...(yield* Fiber.join(later))]).toMatchObject([{ id: 2 }])
      expect(said).toEqual([
        "There is no event 500 in this history, whose newest is 1: a restored one may have taken its place. What happens from now on follows"
      ])
    }).pipe(Effect.provide(world(quiet)))
)
