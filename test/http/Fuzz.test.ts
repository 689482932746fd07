import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { it } from "../support/effect.ts"
import { fuzzed, routes, unknownBodies } from "./fuzz.ts"

const LIMIT_MS = 30_000

describe("whatever is sent is answered, never by a fault", () => {
  it.effect("of every route that takes a body one is known that it takes", () =>
    Effect.sync(() => expect(unknownBodies()).toEqual([]))
  )

  for (const [method, runs] of [
    ["POST", 15],
    ["GET", 8]
  ] as const)
    it.live(
      `${method} of all routes`,
      () => {
        const all = routes().filter((route) => route.method === method)
        return Effect.map(fuzzed(all, { runs, seed: 7, limitMs: LIMIT_MS }), (count) =>
          expect(count).toBe(runs * all.length)
        )
      },
      2 * LIMIT_MS
    )
})
