import { DateTime, Duration, Effect } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { time } from "./columns.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

// Put off to the second, and the end was recorded a moment later.
const PUT_OFF_WITHIN = Duration.minutes(1)
const MAKE_DUE = statement(`
  UPDATE tasks SET ready = 1, available_at = :at, updated_at = :at WHERE ready = 0 AND task_id IN (
    SELECT task_id FROM (
      SELECT task_id, last_error FROM tasks INDEXED BY tasks_delayed
      WHERE ready = 0 AND status IN ('pending', 'retryable_failure') AND available_at >= :opensAt AND available_at < :end
      ORDER BY available_at LIMIT 1000) AS delayed
    WHERE instr(last_error, :named) = 1)
  RETURNING task_id`)

/** Tasks that wait for one thing: until when it was told, and how their last error begins. */
export interface PutOff {
  readonly opensAt: DateTime.Utc
  readonly named: string
}

/** Makes due now the tasks that wait for what has come earlier, of at most 1,000 of that time; each has `reason` in its history. */
export const makeDue = (sqlite: Sqlite["Type"], { named, opensAt }: PutOff, reason: string, stamp: Stamp) =>
  Effect.gen(function* () {
    const at = time(stamp.at)
    const end = time(DateTime.addDuration(opensAt, PUT_OFF_WITHIN))
    for (const row of yield* sqlite.rows(MAKE_DUE, { at, opensAt: time(opensAt), end, named }))
      yield* appendEvent(
        sqlite,
        "rate_limit_rescheduled",
        { taskId: String(row.task_id) },
        { available_at: at, reason },
        stamp
      )
  })
