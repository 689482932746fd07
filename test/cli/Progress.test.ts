import { describe, expect } from "bun:test"
import { Effect, Fiber, TestClock } from "effect"
import { telling, ticking } from "../../src/cli/Progress.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"

const AFRESH = "\r\u001b[K"

/** What stderr was told of a program, second by second. */
const told = <A, E>(program: Effect.Effect<A, E, Terminal>, seconds: number, columns?: number) =>
  Effect.gen(function* () {
    const terminal = fakeTerminal(columns === undefined ? {} : { columns })
    const running = yield* Effect.fork(Effect.provideService(program, Terminal, terminal.service))
    yield* TestClock.adjust(`${seconds} seconds`)
    yield* Fiber.join(running)
    return terminal.err()
  })

describe("progress", () => {
  it.effect("is told in one line from the first second on, and wiped at the end", () =>
    Effect.gen(function* () {
      expect(yield* told(ticking("pruning", Effect.sleep("3500 millis")), 4, 80)).toBe(
        `${AFRESH}pruning (1 s)${AFRESH}pruning (2 s)${AFRESH}pruning (3 s)${AFRESH}`
      )
    })
  )

  it.effect("is not told of what ends sooner, nor where nobody looks", () =>
    Effect.gen(function* () {
      expect(yield* told(ticking("pruning", Effect.sleep("900 millis")), 1, 80)).toBe("")
      expect(yield* told(ticking("pruning", Effect.sleep("5 seconds")), 5)).toBe("")
    })
  )

  it.effect("of many steps is told at most four times a second", () =>
    Effect.gen(function* () {
      const steps = telling(
        (n: number) => `${n} so far`,
        (tell) =>
          Effect.forEach(Array.from({ length: 15 }), (_, at) =>
            Effect.zipRight(Effect.sleep("100 millis"), tell(at + 1))
          )
      )
      expect(yield* told(steps, 2, 80)).toBe(`${AFRESH}10 so far${AFRESH}13 so far${AFRESH}`)
    })
  )
})
