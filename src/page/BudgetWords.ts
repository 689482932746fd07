import type { Budget } from "./Wire.ts"
import { counted, plural, usd } from "./Words.ts"

type Unit = Budget["unit"]

/** A value of a budget with its unit: `$0.25`, `1 attempt`, `4,000 tokens`. */
export const amount = (unit: Unit, value: number): string =>
  unit === "usd" ? usd(value) : plural(value, unit.slice(0, -1))

/** As `amount`, where the unit stands beside it already. */
const bare = (unit: Unit, value: number): string => (unit === "usd" ? usd(value) : counted(value))

/** What was spent of a budget, what is set aside for what runs, and what is left. */
export const budgetWords = ({ granted, limit, reserved, spent, unit }: Budget): string => {
  const all = limit + granted
  return `${bare(unit, spent)} spent, ${bare(unit, reserved)} reserved, ${amount(
    unit,
    Math.max(0, all - spent - reserved)
  )} left of ${amount(unit, all)}${granted > 0 ? ` (${amount(unit, granted)} granted)` : ""}`
}
