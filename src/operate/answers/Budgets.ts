import { Schema } from "effect"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/** One grant adds no more. */
export const MOST_GRANTED = 1_000_000_000_000

export const BudgetUnit = Schema.Literal("usd", "tokens", "attempts")

const Row = wireStruct({
  id: Schema.String,
  /** The adapter, profile or workflow template that is counted; null where all are counted together. */
  subject: nullable(Schema.String),
  window: Schema.Literal("day", "task"),
  /** The task whose window it is; null where the window is a day. */
  taskId: nullable(Schema.String),
  /** Null where no window has begun: of a budget by task that holds nothing up. */
  windowStart: nullable(Time),
  /** When the next window opens by itself. */
  opensAt: nullable(Time),
  unit: BudgetUnit,
  limit: Schema.Number,
  spent: Schema.Number,
  reserved: Schema.Number,
  granted: Schema.Number,
  /** Since when it lets nothing start. */
  exhaustedAt: nullable(Time)
})
export type BudgetAccount = typeof Row.Type

export const BudgetList = wireStruct({ budgets: Schema.Array(Row) }).annotations({ identifier: "BudgetList" })

/** The accounts that a grant went to. */
export const GrantedBudget = wireStruct({ ok: Schema.Boolean, budgets: Schema.Array(Row) }).annotations({
  identifier: "GrantedBudget"
})
