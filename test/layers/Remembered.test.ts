import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Ref, TestClock } from "effect"
import { remembered } from "../../layers/Remembered.ts"
import { it, settable } from "../support/effect.ts"

/** An answer that counts how often it was asked for. */
const counted = Effect.map(Ref.make(0), (count) => Ref.updateAndGet(count, (before) => before + 1))

describe("what is remembered", () => {
  it.effect("is asked for once while the answer holds, and anew when it does not", () =>
    Effect.gen(function* () {
      const ask = yield* remembered(yield* counted, "5 seconds")
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust("4999 millis")
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust("1 millis")
      expect(yield* ask).toBe(2)
    })
  )

  it.effect("holds no longer and no shorter where the host's clock is set meanwhile", () =>
    settable((set) =>
      Effect.gen(function* () {
        const ask = yield* remembered(yield* counted, "5 seconds")
        expect(yield* ask).toBe(1)
        set(3_600_000)
        expect(yield* ask).toBe(1)
        set(-7_200_000)
        yield* TestClock.adjust("5 seconds")
        expect(yield* ask).toBe(2)
      })
    )
  )

  it.effect("holds from the moment that it was answered", () =>
    Effect.gen(function* () {
      const ask = yield* remembered(Effect.delay(yield* counted, "3 seconds"), "5 seconds")
      const first = yield* Effect.fork(ask)
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(first)).toBe(1)
      yield* TestClock.adjust("4 seconds")
      expect(yield* ask).toBe(1)
    })
  )

  it.effect("is asked for once by many at once, and by the next one where the first is interrupted", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const asked = yield* Ref.make(0)
      const slow = Effect.zipRight(
        Ref.update(asked, (count) => count + 1),
        Effect.as(Deferred.await(gate), "answer")
      )
      const ask = yield* remembered(slow, "5 seconds")
      const all = yield* Effect.all(Array.from({ length: 4 }, () => Effect.fork(ask)))
      yield* Effect.yieldNow()
      expect(yield* Ref.get(asked)).toBe(1)
      yield* Fiber.interrupt(all[0]!)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Effect.forEach(all.slice(1), Fiber.join)).toEqual(["answer", "answer", "answer"])
      expect(yield* Ref.get(asked)).toBe(2)
    })
  )

  it.effect("is no failure", () =>
    Effect.gen(function* () {
      const count = yield* counted
      const odd = Effect.filterOrFail(count, (n) => n > 1)
      const ask = yield* remembered(odd, "5 seconds")
      yield* Effect.flip(ask)
      expect(yield* ask).toBe(2)
      expect(yield* ask).toBe(2)
    })
  )
})
