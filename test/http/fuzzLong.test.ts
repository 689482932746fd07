import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { it } from "../support/effect.ts"
import { fuzzed, routes } from "./fuzz.ts"

// A route takes some ten seconds of a core; where the machine has other work it stops at the limit, with what it could
// try until then. All together end within half an hour. One route alone: bun test -t "POST /api/tasks$".
const RUNS = 10_000
const LEAST = 50
const LIMIT_MS = 30_000

describe(`of ${RUNS} requests each is answered, never by a fault`, () => {
  for (const route of routes())
    it.live(
      `${route.method} ${route.path}`,
      () =>
        Effect.map(fuzzed([route], { runs: RUNS, seed: 20_000, limitMs: LIMIT_MS }), (count) =>
          expect(count).toBeGreaterThan(LEAST)
        ),
      3 * LIMIT_MS
    )
})
