import { describe, expect } from "bun:test"
import { DateTime, Duration, Effect, Option, Random, Schema } from "effect"
import { Wait } from "../../src/config/Fields.ts"
import { waitAfter } from "../../src/dispatch/Backoff.ts"
import { Time } from "../../src/domain/Time.ts"
import { it } from "../support/effect.ts"

const own = { maxAttempts: Option.none(), backoffSeconds: Option.none(), maxBackoffSeconds: Option.none() }
const minute = { retryBackoffSeconds: 60 }

const seconds = (attempt: number, retry: Partial<typeof own> | Record<string, Option.Option<number>> = {}) =>
  Effect.map(waitAfter(attempt, minute, Option.some({ ...own, ...retry })), Duration.toSeconds)

/** Random numbers in the middle: no jitter. */
const unjittered = Effect.withRandom(Random.fixed([0.5]))

describe("the back-off", () => {
  it.effect("doubles from attempt to attempt and stays at an hour", () =>
    Effect.gen(function* () {
      const waits = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8, 1_000_000], (n) => seconds(n))
      expect(waits).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
    }).pipe(unjittered)
  )

  it.effect("takes base and cap of the adapter, also a cap above an hour", () =>
    Effect.gen(function* () {
      expect(yield* seconds(3, { backoffSeconds: Option.some(1) })).toBe(4)
      expect(yield* seconds(3, { maxBackoffSeconds: Option.some(100) })).toBe(100)
      expect(yield* seconds(9, { maxBackoffSeconds: Option.some(7200) })).toBe(7200)
    }).pipe(unjittered)
  )

  it.prop(
    "jitters by a fifth to either side, before the cap",
    Schema.Struct({ attempt: Schema.Int.pipe(Schema.between(1, 40)), seed: Schema.Int }),
    ({ attempt, seed }) =>
      Effect.gen(function* () {
        const plain = 60 * 2 ** (attempt - 1)
        const wait = yield* seconds(attempt).pipe(Effect.withRandom(Random.make(seed)))
        expect(wait).toBeGreaterThanOrEqual(Math.min(plain * 0.8, 3600))
        expect(wait).toBeLessThanOrEqual(Math.min(plain * 1.2, 3600))
      })
  )

  it.prop(
    "ends at a time that is one, whatever the configuration takes",
    Schema.Struct({
      attempt: Schema.Int.pipe(Schema.between(1, Number.MAX_SAFE_INTEGER)),
      base: Schema.Int.pipe(Schema.between(1, Number.MAX_SAFE_INTEGER)),
      cap: Schema.Int.pipe(Schema.between(1, Number.MAX_SAFE_INTEGER))
    }),
    ({ attempt, base, cap }) =>
      Effect.gen(function* () {
        const taken = [base, cap, 1e12, 315_360_000].filter((seconds) => Schema.is(Wait)(seconds))
        for (const first of taken)
          for (const most of taken) {
            const retry = { backoffSeconds: Option.some(first), maxBackoffSeconds: Option.some(most) }
            const wait = yield* waitAfter(attempt, minute, Option.some({ ...own, ...retry }))
            const at = DateTime.addDuration(DateTime.unsafeMake("2026-04-29T07:01:02.003Z"), wait)
            const read = Schema.decodeSync(Time)(Schema.encodeSync(Time)(at))
            expect(read.epochMillis).toBe(Math.floor(at.epochMillis))
          }
      })
  )

  it.effect("differs from one random number to the next", () =>
    Effect.gen(function* () {
      const waits = yield* Effect.forEach([1, 2, 3, 4, 5], (seed) =>
        seconds(1).pipe(Effect.withRandom(Random.make(seed)))
      )
      expect(new Set(waits).size).toBeGreaterThan(1)
    })
  )
})
