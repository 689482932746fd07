import { type DateTime, Effect, Option } from "effect"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import type { AccountKey, Reserved } from "../store/Budgets.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { type Charged, chargesOf, isSpent, type OverBudget, roomAgainAt, saying } from "./Charges.ts"
import { NotStarted, WaitsForBudget } from "./NotStarted.ts"
import { stampNow } from "./Runner.ts"

/** The template of a task's workflow, where a budget asks for it. */
export const workflowTemplateOf = (task: Pick<Task, "workflowId">) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { budgets } = yield* RuntimeConfig
    if (Option.isNone(task.workflowId) || !budgets.some(({ per }) => per === "workflow"))
      return Option.none<string>()
    const found = yield* store.workflows.find(task.workflowId.value)
    return Option.map(found, ({ workflow }) => workflow.template)
  })

/** Tells that a budget of the day is spent, unless that was told before or what runs may give enough back. */
export const tellSpent = (over: OverBudget, windowStart: DateTime.Utc, stamp: Stamp) =>
  Effect.gen(function* () {
    if (over.isTold || !isSpent(over)) return
    const store = yield* Store
    const { amount, budget, subject } = over
    const key = { budgetId: budget.id, subject, taskId: Option.none(), windowStart }
    const detail = { unit: budget.unit, limit: budget.limit, amount }
    yield* store.budgets.exhausted(key, detail, Option.none(), stamp)
  })

/** What runs an attempt, or is meant to. */
type Runs = Omit<Charged, "workflowTemplate">

/** Sets aside what an attempt may use, in the accounts of the day that it began and of its task. */
export const setAside = ({ attempt, task }: ClaimedTask, runs: Runs, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    if (settings.budgets.length === 0) return { _tag: "Reserved" } satisfies Reserved
    const charged = { ...runs, workflowTemplate: yield* workflowTemplateOf(task) }
    const of = { taskId: Option.some(task.taskId), createdAt: task.createdAt }
    const charges = yield* chargesOf(settings, charged, of, attempt.startedAt)
    return yield* store.budgets.reserve(attempt.attemptId, charges, stamp)
  })

/**
 * Sees that an attempt has set aside what it may use with the adapter that was chosen for it. The claim did so
 * for the adapter that was meant: a fallback has accounts of its own. Ends as NotStarted where the budget of the
 * task itself is spent, which only a grant mends, and as WaitsForBudget where one of the day is.
 */
export const charge = traced("Charging.charge")(function* (claimed: ClaimedTask, runs: Runs) {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  if (settings.budgets.length === 0) return
  const stamp = yield* stampNow
  const over = yield* store.transact(
    "Charging.charge",
    Effect.gen(function* () {
      const reserved = yield* setAside(claimed, runs, stamp)
      if (reserved._tag === "Reserved")
        return Option.none<Omit<OverBudget, "isTold"> & Pick<AccountKey, "taskId">>()
      const { amount, limit, unit } = reserved.charge
      const over = overOf(reserved, settings)
      const attemptId = Option.some(claimed.attempt.attemptId)
      if (isSpent(over))
        yield* store.budgets.exhausted(reserved.account, { unit, limit, amount }, attemptId, stamp)
      return Option.some({ ...over, taskId: reserved.charge.taskId })
    })
  )
  if (Option.isNone(over)) return
  const detail = saying(over.value)
  if (Option.isSome(over.value.taskId))
    return yield* new NotStarted({
      reason: "budget_exhausted",
      detail: `${detail}, then retry the task`,
      permanent: false
    })
  return yield* new WaitsForBudget({ detail, until: roomAgainAt(over.value, stamp.at) })
})

const overOf = (
  { account, charge }: Extract<Reserved, { readonly _tag: "Over" }>,
  { budgets }: Pick<Settings, "budgets">
) => ({
  budget: budgets.find(({ id }) => id === charge.budgetId)!,
  subject: charge.subject,
  balance: account,
  amount: charge.amount
})
