import { DateTime, Either, Option } from "effect"
import { Invalid } from "../config/Issues.ts"
import type { RecurringSchedule } from "../domain/RecurringSchedule.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nextAfter } from "../schedule/Recurrence.ts"
import { Store } from "../store/Store.ts"
import { timingOf } from "./Due.ts"

/**
 * A time to evaluate schedules at instead of the present one. Invalid where it lies so far ahead that a schedule would
 * be turned off by it: one that is due by then and sound as of now, but never due after that.
 */
export const readTickTime = traced("TickTime.readTickTime")(function* (at: DateTime.Utc) {
  const present = yield* now
  if (DateTime.lessThanOrEqualTo(at, present)) return at
  const { schedules } = yield* Store
  const ended = (yield* schedules.list).find((schedule) => isEndedBy(schedule, at, present))
  if (ended === undefined) return at
  return yield* new Invalid({
    problems: [
      {
        kind: "rule",
        path: "--at",
        found: `${DateTime.formatIso(at)} leaves schedule ${ended.name} no next time and would turn it off for good: times end with the year 9999`,
        expected: "a time after which every schedule that is due has another one",
        remedy: "nothing was evaluated; give an earlier time"
      }
    ]
  })
})

const isEndedBy = (schedule: RecurringSchedule, at: DateTime.Utc, present: DateTime.Utc): boolean =>
  schedule.enabled &&
  DateTime.lessThanOrEqualTo(schedule.nextRunAt, at) &&
  Either.match(timingOf(schedule, present), {
    onLeft: () => false,
    onRight: (timing) => Option.isNone(nextAfter(timing, at))
  })
