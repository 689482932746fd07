import { describe } from "bun:test"
import { it } from "../support/effect.ts"
import { fuzzed, routes } from "./fuzz.ts"

const RUNS = 10_000

describe(`of ${RUNS} bodies each is answered, never by a fault`, () => {
  for (const path of routes()) it.live(`POST ${path}`, () => fuzzed(path, RUNS, 20_000), 600_000)
})
