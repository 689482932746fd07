import { expect } from "bun:test"
import { Effect, Fiber, TestClock } from "effect"
import { telling } from "../../../layers/store/Progress.ts"
import { it } from "../../support/effect.ts"

it.effect("a step tells how far it is from the first second on, each second, and nothing twice", () =>
  Effect.gen(function* () {
    const told: Array<string> = []
    let done = 0
    const step = Effect.sleep("5500 millis").pipe(
      telling(
        (sentence) => Effect.sync(() => void told.push(sentence)),
        () => `${done} done`
      )
    )
    const running = yield* Effect.fork(step)
    yield* TestClock.adjust("900 millis")
    expect(told).toEqual([])
    yield* TestClock.adjust("200 millis")
    expect(told).toEqual(["0 done"])
    done = 1
    yield* TestClock.adjust("1 second")
    yield* TestClock.adjust("1 second")
    expect(told).toEqual(["0 done", "1 done"])
    done = 2
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(running)
    expect(told).toEqual(["0 done", "1 done", "2 done"])
  })
)
