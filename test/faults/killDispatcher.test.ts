import { expect, test } from "bun:test"
import { killDispatcher } from "./KillDispatcher.ts"

const KILLS = 3

test("a resident dispatcher that is killed again and again while others queue loses no task and runs none twice at once", async () => {
  const seed = Date.now() % 1_000_000
  const { tasks, violations } = await killDispatcher(KILLS, seed)
  expect({ seed, violations }).toEqual({ seed, violations: [] })
  expect(tasks).toBe(2 * KILLS)
}, 60_000)
