import { Effect, Option } from "effect"
import { remedyFor } from "../config/NearMiss.ts"
import { type Budget, RuntimeConfig } from "../config/RuntimeConfig.ts"
import { dayOf, nextDay } from "../dispatch/Charges.ts"
import { abridged } from "../domain/Abridged.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import type { Account, AccountKey } from "../store/Budgets.ts"
import { Store } from "../store/Store.ts"
import { type BudgetAccount, BudgetList, BudgetUnit, GrantedBudget, MOST_GRANTED } from "./answers/Budgets.ts"
import { countedUnder, subjectOf, subjectUnfit } from "./BudgetSubject.ts"
import { namedTask, taskNotFound } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

const UNITS = BudgetUnit.literals

/** Accounts of waiting and running tasks that are shown, and that one grant adds to, of one budget. */
const MOST_TASKS = 100

/** Accounts of tasks that are shown because they were used, of one budget. */
const MOST_USED = 50

const named = (subject: string): Option.Option<string> =>
  subject === "" ? Option.none() : Option.some(subject)

const rowOf = (budget: Budget, account: Account): BudgetAccount => {
  const { exhaustedAt, granted, reserved, spent, subject, taskId, windowStart } = account
  return {
    id: budget.id,
    subject: named(subject),
    window: budget.window,
    taskId,
    windowStart: Option.some(windowStart),
    opensAt: budget.window === "day" ? Option.some(nextDay(windowStart)) : Option.none(),
    unit: budget.unit,
    limit: budget.limit,
    spent,
    reserved,
    granted,
    exhaustedAt
  }
}

/** Whether an account of an earlier configuration still says something of the budget. */
const fits = (budget: Budget, { subject }: Account): boolean =>
  budget.per === "all"
    ? subject === ""
    : subject !== "" && Option.getOrElse(budget.match, () => subject) === subject

/** The accounts of a budget's present windows; of one by task those that hold their task up or are in use. */
const accountsOf = (budget: Budget) =>
  Effect.gen(function* () {
    const store = yield* Store
    const found =
      budget.window === "task"
        ? yield* store.budgets.ofTasks(budget.id, MOST_TASKS)
        : (yield* store.budgets.ofDay(dayOf(yield* now))).filter(({ budgetId }) => budgetId === budget.id)
    return found.filter((account) => fits(budget, account))
  })

/** What is shown of a budget: of one by task also what ended tasks have used, the last used first. */
const shownOf = (budget: Budget) =>
  Effect.gen(function* () {
    const store = yield* Store
    const present = yield* accountsOf(budget)
    if (budget.window === "day") return present
    const used = (yield* store.budgets.usedByTasks(budget.id, MOST_USED)).filter((one) => fits(budget, one))
    const known = new Set(used.map(nameOf))
    return [...used, ...present.filter((one) => !known.has(nameOf(one)))]
  })

const nameOf = ({ subject, taskId }: Account): string => `${Option.getOrElse(taskId, () => "")} ${subject}`

/** A budget of which nothing was used in its present window. */
const unused = (budget: Budget) =>
  Effect.map(now, (at): BudgetAccount => {
    const windowStart = budget.window === "day" ? Option.some(dayOf(at)) : Option.none()
    return {
      id: budget.id,
      subject: budget.match,
      window: budget.window,
      taskId: Option.none(),
      windowStart,
      opensAt: Option.map(windowStart, nextDay),
      unit: budget.unit,
      limit: budget.limit,
      spent: 0,
      reserved: 0,
      granted: 0,
      exhaustedAt: Option.none()
    }
  })

/**
 * Every budget with its accounts of the present window, a row for each subject that was used; one by task shows
 * the 50 accounts that were used last, and those of the tasks that it holds up or that run, at most the newest 100.
 */
export const list = operation({
  name: "budgets.list",
  role: "read",
  output: BudgetList,
  run: traced("Budgets.list")(function* (_: object) {
    const settings = yield* RuntimeConfig
    const rows = yield* Effect.forEach(settings.budgets, (budget) =>
      Effect.gen(function* () {
        const accounts = yield* shownOf(budget)
        return accounts.length === 0
          ? [yield* unused(budget)]
          : accounts.map((account) => rowOf(budget, account))
      })
    )
    return { budgets: rows.flat() }
  })
})

export interface GrantInput {
  readonly id: string
  /** Exactly one of the three, that which the budget counts, above 0. */
  readonly usd: Option.Option<number>
  readonly tokens: Option.Option<number>
  readonly attempts: Option.Option<number>
  /** The adapter, profile or workflow template, where a budget counts each on its own. */
  readonly subject: Option.Option<string>
  /** The task, of a budget by task. */
  readonly task: Option.Option<string>
}

const refused = (code: string, message: string, hint: string, exitCode: 1 | 2) =>
  new Refusal({ code, message, hint, exitCode })

const budgetOf = (id: string) =>
  Effect.gen(function* () {
    const { budgets } = yield* RuntimeConfig
    const budget = budgets.find((one) => one.id === id)
    if (budget !== undefined) return budget
    const known = budgets.map((one) => one.id)
    return yield* refused(
      "budget_not_found",
      `there is no budget ${abridged(id)}`,
      remedyFor(id, known, "budgets") || "agent-runtime budget-show lists them",
      1
    )
  })

const amountOf = (budget: Budget, input: GrantInput) => {
  const given = UNITS.filter((unit) => Option.isSome(input[unit]))
  const hint = `agent-runtime budget-grant ${budget.id} --${budget.unit} N`
  if (given.length !== 1 || given[0] !== budget.unit)
    return refused(
      "grant_unfit",
      `budget ${budget.id} counts ${budget.unit}; found ${given.length === 0 ? "no amount" : given.join(" and ")}`,
      hint,
      2
    )
  const amount = Option.getOrElse(input[budget.unit], () => 0)
  const isWhole = budget.unit === "usd" || Number.isInteger(amount)
  return amount > 0 && amount <= MOST_GRANTED && isWhole
    ? Effect.succeed(amount)
    : refused(
        "grant_unfit",
        `${budget.unit}: found ${amount}; expected ${budget.unit === "usd" ? "a number" : "a whole number"} above 0, at most ${MOST_GRANTED}`,
        hint,
        2
      )
}

/** The accounts that a grant adds to: what is named, else what has turned a task away. */
const keysOf = (budget: Budget, input: GrantInput) =>
  Effect.gen(function* () {
    const subject = yield* subjectOf(budget, input.subject, accountsOf(budget))
    if (budget.window === "task") return yield* keysOfTasks(budget, subject, input.task)
    if (Option.isSome(input.task))
      return yield* subjectUnfit(`task: budget ${budget.id} counts by day, not by task`, "leave it out")
    const window = { budgetId: budget.id, taskId: Option.none(), windowStart: dayOf(yield* now) }
    if (Option.isSome(subject)) return [{ ...window, subject: subject.value }]
    const accounts = yield* accountsOf(budget)
    const shut = accounts.filter(({ exhaustedAt }) => Option.isSome(exhaustedAt))
    if (shut.length > 0) return shut
    return yield* refused(
      "subject_needed",
      `budget ${budget.id} counts each ${budget.per} on its own, and none of them has turned a task away`,
      `name one: agent-runtime budget-grant ${budget.id} --${budget.unit} N --subject ${budget.per.toUpperCase()}`,
      2
    )
  })

const keysOfTasks = (budget: Budget, subject: Option.Option<string>, named: Option.Option<string>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const isMeant = (account: Account) =>
      account.budgetId === budget.id && Option.getOrElse(subject, () => account.subject) === account.subject
    if (Option.isNone(named)) {
      const shut = (yield* accountsOf(budget)).filter(
        (account) => isMeant(account) && Option.isSome(account.exhaustedAt)
      )
      if (shut.length > 0) return shut
      return yield* refused(
        "subject_needed",
        `no task waits for budget ${budget.id}`,
        `name one: agent-runtime budget-grant ${budget.id} --${budget.unit} N --task TASK_ID`,
        1
      )
    }
    const found = yield* store.tasks.find(yield* namedTask(named.value))
    if (Option.isNone(found)) return yield* taskNotFound(named.value)
    const { createdAt, taskId } = found.value.task
    if (Option.isSome(subject)) {
      yield* countedUnder(budget, found.value.task, subject.value)
      const window = { budgetId: budget.id, taskId: Option.some(taskId), windowStart: createdAt }
      return [{ ...window, subject: subject.value }]
    }
    const accounts: ReadonlyArray<AccountKey> = (yield* store.budgets.ofTask(taskId)).filter(isMeant)
    if (accounts.length > 0) return accounts
    return yield* refused(
      "subject_needed",
      `budget ${budget.id} counts each ${budget.per} on its own, and the task has used none of them`,
      `name one with --subject ${budget.per.toUpperCase()}`,
      2
    )
  })

/**
 * Adds to a budget's present window: to the account that is named, else to every one that has turned a task away.
 * What waits for a day's budget may start at once; a task that its own budget blocked can be retried.
 */
export const grant = operation({
  name: "budgets.grant",
  role: "operate",
  output: GrantedBudget,
  run: traced("Budgets.grant")(function* (input: GrantInput, actor) {
    const store = yield* Store
    const budget = yield* budgetOf(input.id)
    const amount = yield* amountOf(budget, input)
    const keys = yield* keysOf(budget, input)
    const stamp = { at: yield* now, actor }
    const accounts = yield* store.transact(
      "Budgets.grant",
      Effect.forEach(keys, (key) => {
        const opensAt = budget.window === "day" ? Option.some(nextDay(key.windowStart)) : Option.none()
        return store.budgets.grant(key, { unit: budget.unit, amount, opensAt }, stamp)
      })
    )
    return { ok: true, budgets: accounts.map((account) => rowOf(budget, account)) }
  })
})
