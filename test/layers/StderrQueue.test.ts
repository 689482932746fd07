import { describe, expect } from "bun:test"
import { Duration, Effect, Fiber, Queue, TestClock } from "effect"
import { stderrQueue } from "../../layers/StderrQueue.ts"
import { it } from "../support/effect.ts"

const missing = (texts: number) => Effect.succeed(`missing ${texts}\n`)

/** A queue whose every write is taken when the test says so, or `slow` after it began. */
const read = (slow?: Duration.DurationInput) =>
  Effect.gen(function* () {
    const taken: Array<string> = []
    const reads = yield* Queue.unbounded<void>()
    const write = (bytes: Uint8Array) =>
      Effect.zipRight(
        slow === undefined ? Queue.take(reads) : Effect.sleep(slow),
        Effect.sync(() => taken.push(Buffer.from(bytes).toString()))
      )
    const queue = yield* stderrQueue(write, missing)
    const readOnce = Effect.zipRight(Queue.offer(reads, undefined), Effect.yieldNow({ priority: 1 }))
    return { ...queue, readOnce, taken }
  })

/** How long the end waits. */
const until = (ended: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const ending = yield* Effect.fork(Effect.timed(ended))
    yield* TestClock.adjust("1 minute")
    const [lasted] = yield* Fiber.join(ending)
    return Duration.toMillis(lasted)
  })

const KILOBYTE = "x".repeat(1024)

describe("the queue before a stderr", () => {
  it.effect("writes the texts in their order, and ends at once when all are written", () =>
    Effect.gen(function* () {
      const { ended, report, taken } = yield* read("0 millis")
      for (let at = 0; at < 500; at++) report(`${at}\n`)
      expect(yield* until(ended)).toBe(0)
      expect(taken.join("")).toBe(Array.from({ length: 500 }, (_, at) => `${at}\n`).join(""))
    })
  )

  it.effect("holds a megabyte, and tells in their place how many more texts it was given", () =>
    Effect.gen(function* () {
      const { ended, readOnce, report, taken } = yield* read()
      for (let at = 0; at < 1100; at++) report(KILOBYTE)
      // It would fit, and yet it is not told before those that did not.
      report("small")
      yield* readOnce
      report("after")
      yield* Effect.replicateEffect(readOnce, 40)
      expect(yield* until(ended)).toBe(0)
      expect(taken.join("")).toBe(`${KILOBYTE.repeat(1024)}missing 77\nafter`)
    })
  )

  it.effect("tells of a gap also where nothing is reported after it", () =>
    Effect.gen(function* () {
      const { ended, readOnce, report, taken } = yield* read()
      for (let at = 0; at < 1025; at++) report(KILOBYTE)
      const ending = yield* Effect.fork(ended)
      yield* Effect.replicateEffect(readOnce, 40)
      yield* Fiber.join(ending)
      expect(taken.at(-1)).toEndWith("missing 1\n")
    })
  )

  it.effect("takes a text that is larger than all that may wait", () =>
    Effect.gen(function* () {
      const { ended, report, taken } = yield* read("0 millis")
      report(KILOBYTE.repeat(2000))
      yield* until(ended)
      expect(taken.join("")).toHaveLength(2_048_000)
    })
  )

  it.effect("lets the end wait a moment for nobody, and no longer than two seconds for a slow reader", () =>
    Effect.gen(function* () {
      const nobody = yield* read()
      nobody.report("a")
      expect(yield* until(nobody.ended)).toBe(200)
      const slow = yield* read("150 millis")
      for (let at = 0; at < 1024; at++) slow.report(KILOBYTE)
      expect(yield* until(slow.ended)).toBe(2000)
      expect(slow.taken.length).toBeGreaterThan(10)
    })
  )
})
