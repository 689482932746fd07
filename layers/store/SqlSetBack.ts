import { Effect, Either, Option } from "effect"
import { RecurringSchedule, ScheduleFate } from "../../src/domain/RecurringSchedule.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Schedules } from "../../src/store/Schedules.ts"
import { time } from "./columns.ts"
import { reader } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const SET_AFTER = statement(
  "SELECT * FROM schedules WHERE enabled = 1 AND updated_at > :at ORDER BY updated_at DESC LIMIT :limit"
)
const SET_BACK = statement(`
  UPDATE schedules SET next_run_at = :to, updated_at = :at
  WHERE schedule_id = :scheduleId AND next_run_at = :from RETURNING name, enabled`)
// Only a clock that was ahead has left some, which each evaluation asks.
const FATES_AFTER = statement(`
  SELECT *, NULL AS task_status FROM schedule_fates
  WHERE schedule_id = :scheduleId AND last_due_at > :at ORDER BY last_due_at LIMIT 2000`)

const readFate = reader("schedule_fates", "id", ScheduleFate)
const read = reader("schedules", "schedule_id", RecurringSchedule)

/** Schedules and a clock that was set back. */
export const make = (sqlite: Sqlite["Type"]): Pick<Schedules, "fatesAfter" | "setAfter" | "setBack"> => ({
  setAfter: traced("Schedules.setAfter")((at, limit) =>
    Effect.map(sqlite.rows(SET_AFTER, { at: time(at), limit }), (rows) =>
      rows.flatMap((row) => Option.toArray(Either.getRight(read(row))))
    )
  ),
  fatesAfter: traced("Schedules.fatesAfter")((scheduleId, at) =>
    Effect.map(sqlite.rows(FATES_AFTER, { scheduleId, at: time(at) }), (rows) =>
      rows.flatMap((row) => Option.toArray(Either.getRight(readFate(row))))
    )
  ),
  setBack: traced("Schedules.setBack")((scheduleId, from, to, stamp) =>
    sqlite.transact(
      "Schedules.setBack",
      Effect.gen(function* () {
        const values = { scheduleId, from: time(from), to: time(to), at: time(stamp.at) }
        const row = (yield* sqlite.rows(SET_BACK, values))[0]
        if (row === undefined) return false
        const detail = {
          name: String(row.name),
          enabled: row.enabled === 1,
          next_run_at: values.to,
          set_back_from: values.from,
          reason: "the clock was set back"
        }
        yield* appendEvent(sqlite, "schedule_upserted", { scheduleId }, detail, stamp)
        return true
      })
    )
  )
})
