import { DateTime, Effect, Either, Option } from "effect"
import type { RecurringSchedule } from "../domain/RecurringSchedule.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { CLOCKS_DIFFER_MS, righted } from "../schedule/Recurrence.ts"
import { Store } from "../store/Store.ts"
import { timingOf } from "./Due.ts"
import { settledAfter } from "./Settled.ts"

/** So many schedules are put right in one round; the next one has the others. */
const BATCH = 1_000

/** When a schedule is due by the clock as it goes now, where one that was ahead of it has set another time. */
export const rightTime = (schedule: RecurringSchedule, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const timing = Either.getRight(timingOf(schedule, at))
    if (Option.isNone(timing) || DateTime.distance(at, schedule.updatedAt) <= CLOCKS_DIFFER_MS)
      return Option.none<DateTime.Utc>()
    const settled = yield* settledAfter(schedule.scheduleId, at)
    return righted(timing.value, { dueAt: schedule.nextRunAt, setAt: schedule.updatedAt }, settled, at)
  })

/** Puts one right where it has to be; answers when it is due then, none where it stands as it did. */
export const putOneRight = (schedule: RecurringSchedule, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const { schedules } = yield* Store
    const next = yield* rightTime(schedule, at)
    if (Option.isNone(next)) return next
    const { name, nextRunAt, scheduleId } = schedule
    const actor = { surface: "schedule", name } as const
    const isPut = yield* schedules.setBack(scheduleId, nextRunAt, next.value, { at, actor })
    return isPut ? next : Option.none()
  })

/** Puts schedules right whose next time was set before the clock was set back; they would stand still until then. */
export const putRight = traced("SetBack.putRight")(function* () {
  const { schedules } = yield* Store
  const at = yield* now
  const ahead = yield* schedules.setAfter(DateTime.add(at, { millis: CLOCKS_DIFFER_MS }), BATCH)
  for (const schedule of ahead) {
    const next = yield* putOneRight(schedule, at)
    if (Option.isSome(next))
      yield* Effect.logWarning(
        `The clock was set back: schedule ${schedule.name} is due at ${DateTime.formatIso(next.value)}, not at ${DateTime.formatIso(schedule.nextRunAt)}`
      )
  }
})
