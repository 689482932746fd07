import { describe } from "bun:test"
import { it } from "../support/effect.ts"
import { fuzzed, routes } from "./fuzz.ts"

describe("whatever is sent is answered, never by a fault", () => {
  for (const path of routes()) it.live(`POST ${path}`, () => fuzzed(path, 25, 7), 30_000)
})
