import { describe, expect } from "bun:test"
import { needs } from "../support/needs.ts"
import { faults } from "./Catalogue.ts"
import { randomOf, seedOf } from "./Random.ts"

const SEED = 1
const LIMIT_MS = 60_000

describe("the promises hold through", () => {
  for (const fault of faults)
    for (const number of fault.sample)
      needs(...fault.needs)(
        `${fault.name} (round ${number})`,
        async () => {
          const random = randomOf(seedOf(SEED, fault.name, number))
          const { strikes, violations } = await fault.round({ number, random, keepAs: undefined })
          expect(violations).toEqual([])
          expect(strikes).toBeGreaterThan(0)
        },
        LIMIT_MS
      )
})
