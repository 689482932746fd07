import { DateTime, Duration, Effect, Option } from "effect"
import type { Budget, Settings } from "../config/RuntimeConfig.ts"
import { type Balance, hasRoom } from "../domain/Budget.ts"
import { budgetHolds } from "../domain/PutOff.ts"
import type { Account, AccountKey, Charge } from "../store/Budgets.ts"
import { Store } from "../store/Store.ts"

/** What an attempt is counted under. */
export interface Charged {
  readonly adapterId: string
  readonly profileId: string
  readonly workflowTemplate: Option.Option<string>
}

/** The accounts of one day, and what an attempt would set aside in each, by `placeOf`. */
export interface DayOfBudgets {
  readonly start: DateTime.Utc
  readonly accounts: ReadonlyMap<string, Account>
  readonly amounts: ReadonlyMap<string, number>
}

/** A budget that has no room for one more attempt. */
export interface OverBudget {
  readonly budget: Budget
  readonly subject: string
  readonly balance: Balance
  /** What one attempt sets aside. */
  readonly amount: number
  /** Whether that was known before. */
  readonly isTold: boolean
}

/** The day of budgets begins at midnight UTC. */
export const dayOf = (at: DateTime.Utc): DateTime.Utc => DateTime.startOf(at, "day")

/** When the accounts of a day make way for new ones. */
export const nextDay = (at: DateTime.Utc): DateTime.Utc => DateTime.add(dayOf(at), { days: 1 })

/** An account of a budget among those of its window. */
export const placeOf = (budgetId: string, subject: string): string => JSON.stringify([budgetId, subject])

/** Under what a budget counts an attempt, empty where it counts all together; none when it does not count it. */
export const subjectOf = (budget: Budget, charged: Charged): Option.Option<string> => {
  const subjects = {
    adapter: Option.some(charged.adapterId),
    profile: Option.some(charged.profileId),
    workflow: charged.workflowTemplate,
    all: Option.some("")
  }
  return Option.filter(subjects[budget.per], (subject) =>
    Option.match(budget.match, { onNone: () => true, onSome: (match) => match === subject })
  )
}

/**
 * What an attempt sets aside of a budget: what is configured, else the mean of the last 20, else a tenth; of
 * attempts one. A whole budget is the most, or a dear mean would let nothing start ever again.
 */
const amountOf = (budget: Budget, subject: string) =>
  Effect.gen(function* () {
    if (Option.isSome(budget.reserve)) return budget.reserve.value
    if (budget.unit === "attempts") return 1
    const store = yield* Store
    const mean = yield* store.budgets.mean(budget.per, subject, budget.unit)
    return Option.match(mean, {
      onNone: () => budget.limit / 10,
      onSome: (told) => Math.min(told, budget.limit)
    })
  })

/** The budgets that count an attempt, each with what it counts it under. */
const counting = (budgets: ReadonlyArray<Budget>, charged: Charged) =>
  budgets.flatMap((budget) =>
    Option.match(subjectOf(budget, charged), {
      onNone: () => [],
      onSome: (subject) => [{ budget, subject }]
    })
  )

/** The accounts of the day, and what attempts that are counted so would set aside. */
export const dayOfBudgets = (
  at: DateTime.Utc,
  budgets: ReadonlyArray<Budget>,
  charged: ReadonlyArray<Charged>
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const start = dayOf(at)
    const daily = budgets.filter(({ window }) => window === "day")
    const accounts = daily.length === 0 ? [] : yield* store.budgets.ofDay(start)
    const amounts = new Map<string, number>()
    for (const { budget, subject } of charged.flatMap((one) => counting(daily, one))) {
      const place = placeOf(budget.id, subject)
      if (!amounts.has(place)) amounts.set(place, yield* amountOf(budget, subject))
    }
    return {
      start,
      accounts: new Map(accounts.map((one) => [placeOf(one.budgetId, one.subject), one])),
      amounts
    } satisfies DayOfBudgets
  })

const UNUSED: Balance = { spent: 0, reserved: 0, granted: 0 }

/** The first budget by day that has no room for an attempt. */
export const overBudget = (
  budgets: ReadonlyArray<Budget>,
  charged: Charged,
  day: DayOfBudgets
): Option.Option<OverBudget> => {
  const over = counting(budgets, charged).flatMap(({ budget, subject }): ReadonlyArray<OverBudget> => {
    const amount = day.amounts.get(placeOf(budget.id, subject))
    if (budget.window !== "day" || amount === undefined) return []
    const account = day.accounts.get(placeOf(budget.id, subject))
    const balance = account ?? UNUSED
    const isTold = account !== undefined && Option.isSome(account.exhaustedAt)
    return hasRoom(balance, budget.limit, amount) ? [] : [{ budget, subject, balance, amount, isTold }]
  })
  return Option.fromNullable(over[0])
}

/** Whether it has no room even when all that runs uses nothing: only a grant or the next window opens it. */
export const isSpent = ({ amount, balance, budget }: Omit<OverBudget, "isTold">): boolean =>
  !hasRoom({ ...balance, reserved: 0 }, budget.limit, amount)

/** What runs may give something back: then it is looked at again so soon. */
const SOON = Duration.minutes(5)

/** When an account may have room again: with the next day, or soon where what runs may give something back. */
export const roomAgainAt = (over: Omit<OverBudget, "isTold">, at: DateTime.Utc): DateTime.Utc =>
  isSpent(over) ? nextDay(at) : DateTime.min(nextDay(at), DateTime.addDuration(at, SOON))

/** What an attempt of a task sets aside, of the day of `at` and of the task's own windows. */
export const chargesOf = (
  settings: Pick<Settings, "budgets">,
  charged: Charged,
  task: Pick<AccountKey, "taskId"> & { readonly createdAt: DateTime.Utc },
  at: DateTime.Utc
) =>
  Effect.forEach(counting(settings.budgets, charged), ({ budget, subject }) =>
    Effect.map(amountOf(budget, subject), (amount): Charge => {
      const window =
        budget.window === "day"
          ? { taskId: Option.none(), windowStart: dayOf(at) }
          : { taskId: task.taskId, windowStart: task.createdAt }
      return { budgetId: budget.id, subject, ...window, unit: budget.unit, amount, limit: budget.limit }
    })
  )

const UNITS = { usd: "USD", tokens: "tokens", attempts: "attempts" }

const figure = (value: number): string => String(Math.round(value * 1e6) / 1e6)

/** Why a budget lets nothing start, in a sentence with the command that mends it. */
export const saying = ({ amount, balance, budget, subject }: Omit<OverBudget, "isTold">): string => {
  const total = figure(budget.limit + balance.granted)
  const running = balance.reserved > 0 ? `, ${figure(balance.reserved)} set aside by what runs` : ""
  const window = budget.window === "day" ? "today" : "on this task"
  return `${budgetHolds(budget.id, subject)}${figure(balance.spent)} of ${total} ${UNITS[budget.unit]} spent ${window}${running}, and an attempt sets ${figure(amount)} aside; agent-runtime budget-grant ${budget.id} --${budget.unit} N adds to it`
}
