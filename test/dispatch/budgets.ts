import { Effect, Option } from "effect"
import type { Budget } from "../../src/config/RuntimeConfig.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import * as Budgets from "../../src/operate/Budgets.ts"
import { DOOR } from "./world.ts"

/** A budget of ten attempts a day for all together, and what a test changes in it. */
export const budget = (changes: Partial<Budget> = {}): Budget => ({
  id: "daily",
  per: "all",
  match: Option.none(),
  window: "day",
  unit: "attempts",
  limit: 10,
  reserve: Option.none(),
  ...changes
})

/** The accounts as budget-show has them. */
export const accounts = Effect.map(Budgets.list.run({}, DOOR.actor), ({ budgets }) => budgets)

/** Of each account the subject, what was spent and what is set aside. */
export const figures = Effect.map(accounts, (all) =>
  all.map((one) => [Option.getOrNull(one.subject), one.spent, one.reserved])
)

export const grant = (id: string, given: Partial<Budgets.GrantInput>) =>
  Budgets.grant.run(
    {
      id,
      usd: Option.none(),
      tokens: Option.none(),
      attempts: Option.none(),
      subject: Option.none(),
      task: Option.none(),
      ...given
    },
    DOOR.actor
  )

export const costs = (costUsd: number) => ({ ...unknownUsage, costUsd: Option.some(costUsd) })
