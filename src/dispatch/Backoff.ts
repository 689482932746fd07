import { Chunk, Clock, Duration, Option, Schedule } from "effect"
import type { CommonSettings } from "../config/AdapterSettings.ts"
import type { Settings } from "../config/RuntimeConfig.ts"
import { traced } from "../domain/Traced.ts"

/** No retry waits longer than this (SPEC.md section 8), where an adapter does not name a cap of its own. */
const LONGEST = Duration.hours(1)

// From here on doubling has long reached any cap: a second doubled so often is 68 years.
const MOST_STEPS = 32

/**
 * The waits between attempts: `base` x 2^(n-1), jittered by 20 % to either side, then capped, so that no
 * wait is longer than the cap.
 */
export const backoff = (base: Duration.Duration, longest: Duration.Duration = LONGEST) =>
  Schedule.exponential(base, 2).pipe(
    Schedule.jitteredWith({ min: 0.8, max: 1.2 }),
    Schedule.modifyDelay((_, delay) => Duration.min(delay, longest))
  )

/** How long a task waits after its n-th counted attempt failed (n from 1), by the same schedule. */
export const waitAfter = traced("Backoff.waitAfter")(function* (
  attempt: number,
  settings: Pick<Settings, "retryBackoffSeconds">,
  retry: Option.Option<CommonSettings["retry"]>
) {
  const base = Option.getOrElse(
    Option.flatMap(retry, (own) => own.backoffSeconds),
    () => settings.retryBackoffSeconds
  )
  const longest = Option.match(
    Option.flatMap(retry, (own) => own.maxBackoffSeconds),
    {
      onNone: () => LONGEST,
      onSome: Duration.seconds
    }
  )
  const steps = Array.from({ length: Math.min(Math.max(attempt, 1), MOST_STEPS) })
  const schedule = Schedule.delays(backoff(Duration.seconds(base), longest))
  const waits = yield* Schedule.run(schedule, yield* Clock.currentTimeMillis, steps)
  return Option.getOrElse(Chunk.last(waits), () => longest)
})
