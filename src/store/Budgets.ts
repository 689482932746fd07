import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { Balance, BudgetUnit } from "../domain/Budget.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** What a budget counts together in one window. */
export interface AccountKey {
  readonly budgetId: string
  /** The adapter, profile or workflow template that is counted; empty where all are counted together. */
  readonly subject: string
  /** The task whose window it is; none where the window is a day. */
  readonly taskId: Option.Option<TaskId>
  readonly windowStart: DateTime.Utc
}

export interface Account extends AccountKey, Balance {
  /** Since when it lets nothing more start; none again after a grant. */
  readonly exhaustedAt: Option.Option<DateTime.Utc>
}

/** What an attempt sets aside of an account, and how much the account has without grants. */
export interface Charge extends AccountKey {
  readonly unit: BudgetUnit
  readonly amount: number
  readonly limit: number
}

/** `Over`: the account of this charge has no room for it; then nothing was set aside. */
export type Reserved =
  | { readonly _tag: "Reserved" }
  | { readonly _tag: "Over"; readonly charge: Charge; readonly account: Account }

/** Accounts of what was spent, kept in the store so that no two processes spend the same. */
export interface Budgets {
  /** The accounts of a day that were ever used in it. */
  readonly ofDay: (windowStart: DateTime.Utc) => Effect.Effect<ReadonlyArray<Account>, StoreUnavailable>
  /** The accounts of one task's windows. */
  readonly ofTask: (id: TaskId) => Effect.Effect<ReadonlyArray<Account>, StoreUnavailable>
  /** Of a budget by task: the accounts that hold their task up or are in use, newest first, at most `limit`. */
  readonly ofTasks: (
    budgetId: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Account>, StoreUnavailable>
  /**
   * Of a budget by task: the accounts of which anything was spent, set aside or granted, of ended tasks too, the
   * last used first, at most `limit`.
   */
  readonly usedByTasks: (
    budgetId: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Account>, StoreUnavailable>
  /**
   * Sets aside what a running attempt may use, all or nothing, in place of what it had set aside before; it is
   * settled when the attempt ends, however it ends. Nothing happens when the attempt is no longer running.
   */
  readonly reserve: (
    attemptId: AttemptId,
    charges: ReadonlyArray<Charge>,
    stamp: Stamp
  ) => Effect.Effect<Reserved, StoreUnavailable>
  /** Remembers that an account lets nothing more start, and tells it once; false when that was known. */
  readonly exhausted: (
    key: AccountKey,
    detail: JsonObject,
    attemptId: Option.Option<AttemptId>,
    stamp: Stamp
  ) => Effect.Effect<boolean, StoreUnavailable>
  /**
   * Adds to an account, opening it where it was never used; an event. Tasks that an attempt put off for this
   * budget until `opensAt`, at most 1,000 of them, are due at once, which each has in its own history.
   */
  readonly grant: (
    key: AccountKey,
    granted: {
      readonly unit: BudgetUnit
      readonly amount: number
      readonly opensAt: Option.Option<DateTime.Utc>
    },
    stamp: Stamp
  ) => Effect.Effect<Account, StoreUnavailable>
  /**
   * What the last 20 attempts took on average, of those among the newest hundreds that told it; none when none
   * did. `subject` as in an account.
   */
  readonly mean: (
    per: "adapter" | "profile" | "workflow" | "all",
    subject: string,
    unit: "usd" | "tokens"
  ) => Effect.Effect<Option.Option<number>, StoreUnavailable>
}
