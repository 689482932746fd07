import { DateTime, Effect, Option, Schema } from "effect"
import { type Ended, spentBy } from "../../src/domain/Budget.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { errorOfBudget } from "../../src/domain/PutOff.ts"
import { Time } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { nullable, onFirstUse, whenUsed, wireStruct } from "../../src/domain/Wire.ts"
import type { Account, AccountKey, Budgets, Charge, Reserved } from "../../src/store/Budgets.ts"
import { time } from "./columns.ts"
import { idReader } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { makeDue } from "./SqlPutOff.ts"
import { statement, type Value } from "./statement.ts"
import type { Writing } from "./writing.ts"

const OF_DAY = statement(
  "SELECT * FROM budgets WHERE task_id = '' AND window_start = :windowStart ORDER BY budget_id, subject"
)
const OF_TASK = statement("SELECT * FROM budgets WHERE task_id = :taskId")
const OF_TASKS = statement(`
  SELECT budgets.* FROM budgets CROSS JOIN tasks USING (task_id)
  WHERE budget_id = :budgetId AND budgets.task_id <> '' AND (reserved > 0 OR exhausted_at IS NOT NULL)
    AND tasks.status IN ('pending', 'running', 'retryable_failure', 'blocked')
  ORDER BY window_start DESC LIMIT :limit`)
const USED_BY_TASKS = statement(`
  SELECT * FROM budgets WHERE budget_id = :budgetId AND task_id <> '' AND (spent > 0 OR reserved > 0 OR granted > 0)
  ORDER BY updated_at DESC LIMIT :limit`)

const KEY =
  "task_id = :taskId AND window_start = :windowStart AND budget_id = :budgetId AND subject = :subject"
const OPEN = statement(`
  INSERT INTO budgets (task_id, window_start, budget_id, subject, updated_at)
  VALUES (:taskId, :windowStart, :budgetId, :subject, :at) ON CONFLICT DO NOTHING`)
const FIND = statement(`SELECT * FROM budgets WHERE ${KEY}`)
// The rule of domain/Budget's hasRoom.
const SET_ASIDE = statement(`
  UPDATE budgets SET reserved = round(reserved + :amount, 9), updated_at = :at
  WHERE ${KEY} AND spent < :limit + granted AND spent + reserved + :amount <= (:limit + granted) * 1.000000001`)
const GIVE_BACK = statement(`
  UPDATE budgets SET reserved = max(0.0, round(reserved - :amount, 9)), spent = round(spent + :spent, 9), updated_at = :at
  WHERE ${KEY}`)
const EXHAUSTED = statement(`
  UPDATE budgets SET exhausted_at = :at, updated_at = :at WHERE ${KEY} AND exhausted_at IS NULL RETURNING *`)
const GRANT = statement(`
  UPDATE budgets SET granted = round(granted + :amount, 9), exhausted_at = NULL, updated_at = :at
  WHERE ${KEY} RETURNING *`)

const RESERVED_OF = statement(
  "SELECT task_id, reserved_json FROM attempts WHERE attempt_id = :attemptId AND status = 'running'"
)
const RESERVE = statement(
  "UPDATE attempts SET reserved_json = :reserved WHERE attempt_id = :attemptId AND status = 'running'"
)

const TOLD = `CASE WHEN NOT json_valid(usage_json) THEN NULL
    WHEN :unit = 'usd' THEN usage_json ->> '$.cost_usd'
    ELSE coalesce((usage_json ->> '$.input_tokens') + (usage_json ->> '$.output_tokens'),
      usage_json ->> '$.input_tokens', usage_json ->> '$.output_tokens') END`
const MEAN_OF_ADAPTER = statement(`
  SELECT told FROM (
    SELECT started_at, ${TOLD} AS told FROM attempts_by_start WHERE adapter_id = :subject ORDER BY started_at DESC LIMIT 100) AS recent
  WHERE told IS NOT NULL LIMIT 20`)
// Ids of attempts sort as their starts do; no index has the profile or the workflow's template.
const MEAN_OF_PROFILE = statement(`
  SELECT told FROM (
    SELECT profile_id, ${TOLD} AS told FROM attempts ORDER BY attempt_id DESC LIMIT 500) AS recent
  WHERE profile_id = :subject AND told IS NOT NULL LIMIT 20`)
const MEAN_OF_WORKFLOW = statement(`
  SELECT told FROM (
    SELECT task_id, ${TOLD} AS told FROM attempts ORDER BY attempt_id DESC LIMIT 500) AS recent
    CROSS JOIN tasks USING (task_id) CROSS JOIN workflows ON workflows.id = tasks.workflow_id
  WHERE told IS NOT NULL AND workflows.template = :subject LIMIT 20`)
const MEAN_OF_ALL = statement(`
  SELECT told FROM (SELECT ${TOLD} AS told FROM attempts ORDER BY attempt_id DESC LIMIT 100) AS recent
  WHERE told IS NOT NULL LIMIT 20`)
const MEANS = {
  adapter: MEAN_OF_ADAPTER,
  profile: MEAN_OF_PROFILE,
  workflow: MEAN_OF_WORKFLOW,
  all: MEAN_OF_ALL
}

type Sql = Sqlite["Type"]

/** What an attempt has set aside, as its row keeps it: all that the settlement needs. */
const SetAside = whenUsed(() =>
  Schema.parseJson(
    Schema.Array(
      wireStruct({
        budgetId: Schema.String,
        subject: Schema.String,
        taskId: nullable(TaskId),
        windowStart: Time,
        unit: Schema.Literal("usd", "tokens", "attempts"),
        amount: Schema.Number
      })
    )
  )
)
type SetAside = typeof SetAside.Type
const encodeSetAside = onFirstUse(() => Schema.encodeSync(SetAside))
const decodeSetAside = onFirstUse(() => Schema.decodeUnknownOption(SetAside))

// What cannot be read any more cannot be given back: a day's account forgets it with its window.
const setAsideBy = (row: Row): SetAside =>
  row.reserved_json === null ? [] : Option.getOrElse(decodeSetAside()(row.reserved_json), () => [])

const keyValues = (key: AccountKey): Record<string, Value> => ({
  taskId: Option.getOrElse(key.taskId, () => ""),
  windowStart: time(key.windowStart),
  budgetId: key.budgetId,
  subject: key.subject
})

const taskIdOf = idReader(TaskId)

const timeOf = (value: Value | undefined): Option.Option<DateTime.Utc> =>
  typeof value === "string" ? Option.map(DateTime.make(value), DateTime.toUtc) : Option.none()

const toAccount = (row: Row): Account => ({
  budgetId: String(row.budget_id),
  subject: String(row.subject),
  taskId: row.task_id === "" ? Option.none() : Option.some(taskIdOf(row.task_id)),
  windowStart: Option.getOrElse(timeOf(row.window_start), () => DateTime.unsafeMake(0)),
  spent: Number(row.spent),
  reserved: Number(row.reserved),
  granted: Number(row.granted),
  exhaustedAt: timeOf(row.exhausted_at)
})

const toAccounts = Effect.map((rows: ReadonlyArray<Row>) => rows.map(toAccount))

const told = (account: Account): JsonObject => ({
  budget_id: account.budgetId,
  subject: account.subject,
  window_start: time(account.windowStart),
  spent: account.spent,
  reserved: account.reserved,
  granted: account.granted
})

/** Settles what an attempt had set aside when it was closed; part of that transaction. */
export const settleReserved = (writing: Writing, attempt: Row, ended: Ended, at: string): void => {
  for (const one of setAsideBy(attempt))
    writing.changed(GIVE_BACK, {
      ...keyValues(one),
      amount: one.amount,
      spent: spentBy(one.unit, one.amount, ended),
      at
    })
}

/** The first charge that its account has no room for; all before it are set aside. */
const setAside = (writing: Writing, charges: ReadonlyArray<Charge>, at: string) => {
  for (const [index, charge] of charges.entries()) {
    const key = keyValues(charge)
    writing.changed(OPEN, { ...key, at })
    const { amount, limit } = charge
    if (writing.changed(SET_ASIDE, { ...key, amount, limit, at }) === 0) return { charge, index }
  }
  return undefined
}

const isSame = (before: ReadonlyArray<AccountKey>, now: ReadonlyArray<AccountKey>): boolean => {
  const names = (some: ReadonlyArray<AccountKey>) => some.map((one) => JSON.stringify(keyValues(one))).sort()
  return names(before).join() === names(now).join()
}

const reserve =
  (attemptId: string, charges: ReadonlyArray<Charge>, at: string) =>
  (writing: Writing): Reserved => {
    const attempt = writing.rows(RESERVED_OF, { attemptId })[0]
    if (attempt === undefined) return { _tag: "Reserved" }
    const giveBack = (some: ReadonlyArray<AccountKey & { readonly amount: number }>) => {
      for (const one of some)
        writing.changed(GIVE_BACK, { ...keyValues(one), amount: one.amount, spent: 0, at })
    }
    const before = setAsideBy(attempt)
    if (isSame(before, charges)) return { _tag: "Reserved" }
    giveBack(before)
    const over = setAside(writing, charges, at)
    if (over !== undefined) {
      const account = toAccount(writing.rows(FIND, keyValues(over.charge))[0]!)
      giveBack(charges.slice(0, over.index))
      giveBack(before.map((one) => ({ ...one, amount: -one.amount })))
      return { _tag: "Over", charge: over.charge, account }
    }
    writing.changed(RESERVE, { attemptId, reserved: encodeSetAside()(charges) })
    return { _tag: "Reserved" }
  }

export const make = (sqlite: Sql): Budgets => ({
  ofDay: traced("Budgets.ofDay")((windowStart) =>
    toAccounts(sqlite.rows(OF_DAY, { windowStart: time(windowStart) }))
  ),
  ofTask: traced("Budgets.ofTask")((taskId) => toAccounts(sqlite.rows(OF_TASK, { taskId }))),
  ofTasks: traced("Budgets.ofTasks")((budgetId, limit) =>
    toAccounts(sqlite.rows(OF_TASKS, { budgetId, limit }))
  ),
  usedByTasks: traced("Budgets.usedByTasks")((budgetId, limit) =>
    toAccounts(sqlite.rows(USED_BY_TASKS, { budgetId, limit }))
  ),
  reserve: (attemptId, charges, stamp) =>
    sqlite.write("Budgets.reserve", reserve(attemptId, charges, time(stamp.at))),
  exhausted: traced("Budgets.exhausted")((key, detail, attemptId, stamp) =>
    sqlite.transact(
      "Budgets.exhausted",
      Effect.gen(function* () {
        const values = { ...keyValues(key), at: time(stamp.at) }
        yield* sqlite.rows(OPEN, values)
        const row = (yield* sqlite.rows(EXHAUSTED, values))[0]
        if (row === undefined) return false
        const subject = { taskId: Option.getOrNull(key.taskId), attemptId: Option.getOrUndefined(attemptId) }
        yield* appendEvent(sqlite, "budget_exhausted", subject, { ...told(toAccount(row)), ...detail }, stamp)
        return true
      })
    )
  ),
  grant: traced("Budgets.grant")((key, { amount, opensAt, unit }, stamp) =>
    sqlite.transact(
      "Budgets.grant",
      Effect.gen(function* () {
        const values = { ...keyValues(key), at: time(stamp.at) }
        yield* sqlite.rows(OPEN, values)
        const account = toAccount((yield* sqlite.rows(GRANT, { ...values, amount }))[0]!)
        const subject = { taskId: Option.getOrNull(key.taskId) }
        yield* appendEvent(sqlite, "budget_granted", subject, { ...told(account), unit, amount }, stamp)
        if (Option.isSome(opensAt)) {
          const putOff = { opensAt: opensAt.value, named: errorOfBudget(key.budgetId, key.subject) }
          yield* makeDue(sqlite, putOff, `more was granted to budget ${key.budgetId}`, stamp)
        }
        return account
      })
    )
  ),
  mean: traced("Budgets.mean")((per, subject, unit) =>
    Effect.map(sqlite.rows(MEANS[per], per === "all" ? { unit } : { subject, unit }), (rows) => {
      const figures = rows.map((row) => Number(row.told)).filter(Number.isFinite)
      const sum = figures.reduce((all, one) => all + one, 0)
      return figures.length === 0 ? Option.none() : Option.some(sum / figures.length)
    })
  )
})
