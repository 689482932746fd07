import { describe, expect } from "bun:test"
import { DateTime, Effect, Fiber, Option, Queue, Ref, TestClock } from "effect"
import { inRounds } from "../../src/dispatch/Wakes.ts"
import { now } from "../../src/domain/Time.ts"
import { it } from "../support/effect.ts"
import { quiet } from "./resident.ts"

/** Seconds at which rounds began while `body` ran; each round answers the next of `moments`, in seconds. */
const roundsOf = <A, E>(
  moments: ReadonlyArray<number>,
  body: (wake: Queue.Queue<void>) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const wake = yield* Queue.sliding<void>(1)
    const begun = yield* Ref.make<ReadonlyArray<number>>([])
    const round = Effect.gen(function* () {
      const rounds = yield* Ref.get(begun)
      yield* Ref.set(begun, [...rounds, DateTime.toEpochMillis(yield* now) / 1000])
      return Option.map(Option.fromNullable(moments[rounds.length]), (second) =>
        DateTime.unsafeMake(second * 1000)
      )
    })
    const running = yield* Effect.fork(inRounds(wake, round))
    yield* quiet
    yield* body(wake)
    yield* quiet
    yield* Fiber.interrupt(running)
    return yield* Ref.get(begun)
  })

const second = Effect.zipRight(TestClock.adjust("1 seconds"), quiet)
const wakeUp = (wake: Queue.Queue<void>) => Effect.zipRight(Queue.offer(wake, undefined), quiet)

describe("rounds", () => {
  it.effect("come every eight seconds where nothing calls for one", () =>
    Effect.gen(function* () {
      expect(yield* roundsOf([], () => Effect.repeatN(second, 16))).toEqual([0, 8, 16])
    })
  )

  it.effect("come at the moment that one answered, be it nearer than the alarm that is set", () =>
    Effect.gen(function* () {
      const begun = yield* roundsOf([100, 3], (wake) =>
        Effect.zipRight(Effect.zipRight(second, wakeUp(wake)), Effect.repeatN(second, 2))
      )
      expect(begun).toEqual([0, 1, 3])
    })
  )

  it.effect("come for a wake at once, and once for what came before they began", () =>
    Effect.gen(function* () {
      const begun = yield* roundsOf([], (wake) =>
        Effect.zipRight(second, Effect.zipRight(Queue.offer(wake, undefined), wakeUp(wake)))
      )
      expect(begun).toEqual([0, 1])
    })
  )

  it.effect("come again for what came while one ran", () =>
    Effect.gen(function* () {
      const wake = yield* Queue.sliding<void>(1)
      const begun = yield* Ref.make(0)
      const round = Effect.gen(function* () {
        if ((yield* Ref.updateAndGet(begun, (count) => count + 1)) === 1) yield* Queue.offer(wake, undefined)
        return Option.none()
      })
      const running = yield* Effect.fork(inRounds(wake, round))
      yield* quiet
      yield* Fiber.interrupt(running)
      expect(yield* Ref.get(begun)).toBe(2)
    })
  )
})
