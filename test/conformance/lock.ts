import { describe, expect } from "bun:test"
import { Deferred, Effect, Exit, Fiber, type Layer, Option, type Scope } from "effect"
import { Lock, LockHeld } from "../../src/dispatch/Lock.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { it } from "../support/effect.ts"

const ME = RunnerId.make("me:1:now")
const YOU = RunnerId.make("you:2:now")

/** What every Lock promises. `place` gives a fresh path; it is cleaned up with the scope. */
export const lockConformance = (
  name: string,
  layer: Layer.Layer<Lock>,
  place: Effect.Effect<string, never, Scope.Scope>
) =>
  describe(name, () => {
    const lives = (what: string, body: (path: string) => Effect.Effect<unknown, unknown, Lock>) =>
      it.live(what, () => Effect.flatMap(place, (path) => Effect.provide(body(path), layer)))

    lives("is free at first, held while a program runs, and free afterwards", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        expect(yield* lock.holder(path)).toEqual(Option.none())
        const before = yield* now
        const inside = yield* lock.holder(path).pipe(lock.hold(path, ME))
        const holder = Option.getOrThrow(inside)
        expect(holder.runnerId).toEqual(Option.some(ME))
        const since = Option.getOrThrow(holder.since)
        expect(since.epochMillis).toBeGreaterThanOrEqual(before.epochMillis)
        expect(yield* lock.holder(path)).toEqual(Option.none())
      })
    )

    lives("keeps a second one out at once and names the first", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        const second = Effect.flip(Effect.dieMessage("it ran").pipe(lock.hold(path, YOU)))
        const refused = yield* second.pipe(lock.hold(path, ME))
        expect(refused).toBeInstanceOf(LockHeld)
        expect(refused).toMatchObject({ path, runnerId: Option.some(ME) })
      })
    )

    lives("stays with its holder after somebody was kept out", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        const holder = yield* Effect.void.pipe(
          lock.hold(path, YOU),
          Effect.exit,
          Effect.zipRight(lock.holder(path)),
          lock.hold(path, ME)
        )
        expect(Option.flatMap(holder, (one) => one.runnerId)).toEqual(Option.some(ME))
      })
    )

    lives("is freed by a failure, a defect and an interrupt", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        for (const end of [Effect.fail("no"), Effect.dieMessage("bug"), Effect.interrupt]) {
          const exit = yield* Effect.exit(lock.hold(path, ME)(end))
          expect(Exit.isFailure(exit)).toBe(true)
          expect(yield* lock.holder(path)).toEqual(Option.none())
        }
        const held = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          Effect.zipRight(Deferred.succeed(held, undefined), Effect.never).pipe(lock.hold(path, ME))
        )
        yield* Deferred.await(held)
        yield* Fiber.interrupt(fiber)
        expect(yield* Effect.succeed("mine").pipe(lock.hold(path, YOU))).toBe("mine")
      })
    )

    lives("of one path is nobody else's business", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        const both = Effect.succeed("both").pipe(lock.hold(`${path}.other`, YOU), lock.hold(path, ME))
        expect(yield* both).toBe("both")
      })
    )

    lives("is never taken by a look at it", (path) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        const looking = Effect.forEach(Array.from({ length: 100 }), () =>
          Effect.zipRight(lock.holder(path), Effect.yieldNow())
        )
        const taking = Effect.forEach(Array.from({ length: 100 }), () =>
          Effect.yieldNow().pipe(lock.hold(path, ME))
        )
        yield* Effect.all([looking, taking, looking], { concurrency: 3 })
      })
    )
  })
