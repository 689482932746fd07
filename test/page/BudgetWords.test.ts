import { expect, test } from "bun:test"
import { amount, budgetWords } from "../../src/page/BudgetWords.ts"
import type { Budget } from "../../src/page/Wire.ts"

const budget = (given: Partial<Budget>): Budget => ({
  id: "a-day",
  subject: null,
  window: "day",
  task_id: null,
  window_start: null,
  opens_at: null,
  unit: "attempts",
  limit: 500,
  spent: 0,
  reserved: 0,
  granted: 0,
  exhausted_at: null,
  ...given
})

test("a budget is told in its own unit, one of it as one", () => {
  expect(amount("attempts", 1)).toBe("1 attempt")
  expect(amount("tokens", 4_000)).toBe("4,000 tokens")
  expect(amount("usd", 0.25)).toBe("$0.250")
  expect(budgetWords(budget({ spent: 498, reserved: 1 }))).toBe(
    "498 spent, 1 reserved, 1 attempt left of 500 attempts"
  )
  expect(budgetWords(budget({ spent: 500, granted: 25 }))).toBe(
    "500 spent, 0 reserved, 25 attempts left of 525 attempts (25 attempts granted)"
  )
  expect(budgetWords(budget({ unit: "usd", limit: 5, spent: 6 }))).toBe(
    "$6.00 spent, $0.00 reserved, $0.00 left of $5.00"
  )
})
