import { expect, test } from "bun:test"
import { killBudgeted } from "./KillBudgeted.ts"

const LIMIT = 24
const TASKS = 40
const KILLS = 8

test("two dispatchers that share a budget and are killed again and again never start more than it allows", async () => {
  const plan = { kills: KILLS, tasks: TASKS, limit: LIMIT }
  const { completed, ran, spent, violations } = await killBudgeted(plan, Math.random)
  expect(violations).toEqual([])
  expect(ran).toBeGreaterThan(0)
  expect(ran).toBeLessThanOrEqual(spent)
  expect(spent).toBe(LIMIT)
  expect(completed).toBe(TASKS)
}, 120_000)
