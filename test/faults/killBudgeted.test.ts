import { expect, test } from "bun:test"
import { killBudgeted } from "./KillBudgeted.ts"

const LIMIT = 24
const TASKS = 40

test("two dispatchers that share a budget and are killed again and again never start more than it allows", async () => {
  const { completed, ran, spent, violations } = await killBudgeted(8, TASKS, LIMIT)
  expect(violations).toEqual([])
  expect(ran).toBeGreaterThan(0)
  expect(ran).toBeLessThanOrEqual(spent)
  expect(spent).toBe(LIMIT)
  expect(completed).toBe(TASKS)
}, 120_000)
