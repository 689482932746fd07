import { Option } from "effect"
import type { Usage } from "./Usage.ts"

/** What a budget counts. */
export type BudgetUnit = "usd" | "tokens" | "attempts"

/** The figures of a budget's account that decide whether it lets something start. */
export interface Balance {
  readonly spent: number
  readonly reserved: number
  readonly granted: number
}

/** Sums of fractions miss their total by a hair. */
const HAIR = 1.000_000_001

/**
 * Whether an account has room for so much more. What runs already counts with all that it has set aside; an
 * account with nothing left lets nothing start, not even what sets nothing aside.
 */
export const hasRoom = (balance: Balance, limit: number, amount: number): boolean => {
  const total = limit + balance.granted
  return balance.spent < total && balance.spent + balance.reserved + amount <= total * HAIR
}

/** How an attempt ended, as far as a budget asks. */
export interface Ended {
  readonly usage: Usage
  /** Whether its adapter was started at all. */
  readonly started: boolean
  /** Whether it was ended from outside before it could tell what it used, by an adapter that costs something. */
  readonly untold: boolean
}

/**
 * What an attempt used up of a budget. One that was cut off has used what nobody can tell: then what was set
 * aside for it counts as spent. An adapter that ends by itself and tells nothing has used nothing.
 */
export const spentBy = (unit: BudgetUnit, setAside: number, { started, untold, usage }: Ended): number => {
  if (!started) return 0
  if (unit === "attempts") return 1
  const figures = unit === "usd" ? [usage.costUsd] : [usage.inputTokens, usage.outputTokens]
  const told = figures.flatMap(Option.toArray).filter(Number.isFinite)
  if (told.length === 0) return untold ? setAside : 0
  return told.reduce((sum, figure) => sum + figure, 0)
}
