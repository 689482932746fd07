import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Overlap, RecurringSchedule, ScheduleFate } from "../domain/RecurringSchedule.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** A schedule as it is saved; its timing was judged before. */
export interface NewSchedule {
  /** Taken where no schedule of this name is there yet. */
  readonly scheduleId: string
  readonly name: string
  readonly intervalSeconds: Option.Option<number>
  readonly cron: Option.Option<string>
  readonly timezone: Option.Option<string>
  readonly nextRunAt: DateTime.Utc
  readonly enabled: boolean
  readonly overlap: Overlap
  readonly task: JsonObject
}

/** A fate as it is recorded; when that happens is its stamp's. */
export type NewFate = Omit<ScheduleFate, "taskStatus">

/**
 * A row that is due, or that does not decode: then `dueAt` is its due time where that can be read. `fence` is
 * the state that was read: what was decided of it is void when the row has another one by then.
 */
export type DueSchedule =
  | { readonly _tag: "Due"; readonly schedule: RecurringSchedule; readonly fence: string }
  | {
      readonly _tag: "Damaged"
      readonly scheduleId: string
      readonly name: string
      readonly dueAt: Option.Option<DateTime.Utc>
      readonly problem: string
      readonly fence: string
    }

/** What one evaluation decided of a schedule. */
export interface Evaluation {
  readonly scheduleId: string
  readonly fence: string
  /** The due time that was acted upon, and how many behind it were missed. */
  readonly dueAt: DateTime.Utc
  readonly missed: number
  /** False when there were more than that: the event says so, too. */
  readonly isExact: boolean
  /** None disables the schedule: it is never due again. */
  readonly next: Option.Option<DateTime.Utc>
  readonly taskId: Option.Option<TaskId>
  /** Of `dueAt` first, and of those that were missed. */
  readonly fates: ReadonlyArray<NewFate>
}

/** A schedule that cannot be evaluated, and what is wrong with it. */
export interface Unfit {
  readonly scheduleId: string
  readonly fence: string
  readonly problem: string
  /** Where it goes on once it is mended; none leaves that as it is. */
  readonly next: Option.Option<DateTime.Utc>
  readonly fates: ReadonlyArray<NewFate>
}

/** Recurring schedules and what became of each of their due times. */
export interface Schedules {
  /** Saves a schedule under its name, over the one that has it, whose due times `passed` are given up. */
  readonly upsert: (
    schedule: NewSchedule,
    passed: ReadonlyArray<NewFate>,
    stamp: Stamp
  ) => Effect.Effect<RecurringSchedule, StoreUnavailable>
  /** None when there is none of that name; a damaged one is shown disabled, with what is wrong. */
  readonly find: (name: string) => Effect.Effect<Option.Option<RecurringSchedule>, StoreUnavailable>
  /** As `find`, and none as well when the record is damaged. */
  readonly sound: (name: string) => Effect.Effect<Option.Option<RecurringSchedule>, StoreUnavailable>
  /** By name, at most 10,000. */
  readonly list: Effect.Effect<ReadonlyArray<RecurringSchedule>, StoreUnavailable>
  /** Enabled ones that are due at `at`, earliest first, at most `limit`; and those whose due time is no time. */
  readonly due: (
    at: DateTime.Utc,
    limit: number
  ) => Effect.Effect<ReadonlyArray<DueSchedule>, StoreUnavailable>
  /** When the earliest enabled one is due; none when there is none. One without a due time does not count. */
  readonly nextDue: Effect.Effect<Option.Option<DateTime.Utc>, StoreUnavailable>
  /** Enabled ones whose record was changed after `at`, latest first, at most `limit`; damaged ones are left out. */
  readonly setAfter: (
    at: DateTime.Utc,
    limit: number
  ) => Effect.Effect<ReadonlyArray<RecurringSchedule>, StoreUnavailable>
  /** Fates of due times behind `at`, by due time: the first 2,000. */
  readonly fatesAfter: (
    scheduleId: string,
    at: DateTime.Utc
  ) => Effect.Effect<ReadonlyArray<ScheduleFate>, StoreUnavailable>
  /** Puts the next time of a schedule from one to another, for the clock was set back; false when it is not that one any more. */
  readonly setBack: (
    scheduleId: string,
    from: DateTime.Utc,
    to: DateTime.Utc,
    stamp: Stamp
  ) => Effect.Effect<boolean, StoreUnavailable>
  /** Records a decision; false when the schedule is not as it was read any more. */
  readonly evaluated: (evaluation: Evaluation, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Turns a schedule on or off; none when there is none of that name. */
  readonly setEnabled: (
    name: string,
    enabled: boolean,
    reason: Option.Option<string>,
    stamp: Stamp
  ) => Effect.Effect<Option.Option<RecurringSchedule>, StoreUnavailable>
  /** Disables a schedule that cannot be evaluated, with an event; false when it is not as it was read. */
  readonly quarantine: (unfit: Unfit, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** False when there is none of that name. Its tasks stay. */
  readonly remove: (name: string, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Of one schedule, newest first, at most `limit`. */
  readonly fates: (
    scheduleId: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ScheduleFate>, StoreUnavailable>
}
