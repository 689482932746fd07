import { DateTime, Effect } from "effect"
import type { ScheduleFate } from "../domain/RecurringSchedule.ts"
import type { Settled } from "../schedule/Recurrence.ts"
import { Store } from "../store/Store.ts"

/**
 * A clock that was further ahead than this was wrong, not corrected: what it passed over as missed has yet to come, and
 * a schedule that waited for the end of that would stand still for as long.
 */
const WRONG_AHEAD_MS = 86_400_000

/** What was acted upon is settled however wrong the clock was; it would be done twice. */
const isSettled = ({ evaluatedAt, fate }: ScheduleFate, at: DateTime.Utc): boolean =>
  fate !== "coalesced" || DateTime.distance(at, evaluatedAt) <= WRONG_AHEAD_MS

/** Due times of a schedule behind `at` that have their fate, in their order: a clock that was set back has left them. */
export const settledAfter = (scheduleId: string, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const { schedules } = yield* Store
    return (yield* schedules.fatesAfter(scheduleId, at))
      .filter((one) => isSettled(one, at))
      .map(({ firstDueAt, lastDueAt }): Settled => ({ first: firstDueAt, last: lastDueAt }))
      .toSorted((one, other) => DateTime.distance(other.first, one.first))
  })
