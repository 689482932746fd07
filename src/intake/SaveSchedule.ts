import { DateTime, Effect, Either, Option, Schema } from "effect"
import { decode, Invalid, type Problem } from "../config/Issues.ts"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import type { Actor } from "../domain/Actor.ts"
import { IdSource } from "../domain/Ids.ts"
import { type RecurringSchedule, ScheduleIntent } from "../domain/RecurringSchedule.ts"
import { Intent } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { evaluate, nextAfter, type TimingFault } from "../schedule/Recurrence.ts"
import type { NewFate, NewSchedule } from "../store/Schedules.ts"
import { Store } from "../store/Store.ts"
import { fatesOf, timingOf } from "./Due.ts"
import { templateProblems } from "./ScheduleTemplate.ts"

const decodeFields = decode(ScheduleIntent)
const encodeTask = Schema.encodeSync(Intent)

const problem = (path: string, found: string, expected: string, remedy = ""): Problem => ({
  kind: "rule",
  path,
  found,
  expected,
  remedy
})

/** What the fields say together; each by itself was judged before. */
const together = (intent: ScheduleIntent, at: DateTime.Utc): ReadonlyArray<Problem> => {
  const { cron, intervalSeconds, task, timezone } = intent
  const both = cron !== undefined && intervalSeconds !== undefined
  const neither = cron === undefined && intervalSeconds === undefined
  const timing = timingOf(timed(intent), at)
  const fault = cron === undefined ? Option.none() : Either.getLeft(timing)
  return [
    ...(both
      ? [problem("cron", "there is an interval_seconds beside it", "one of the two", "remove one")]
      : []),
    ...(neither ? [problem("interval_seconds", "it is missing, and so is cron", "one of the two")] : []),
    ...(timezone !== undefined && cron === undefined
      ? [problem("timezone", "there is no cron beside it", "it with cron only", "remove it")]
      : []),
    ...Option.toArray(Option.map(fault, (one) => wrongTiming(one, intent))),
    ...templateProblems(task, "task.")
  ]
}

const wrongTiming = (fault: TimingFault, { cron, timezone = "" }: ScheduleIntent): Problem =>
  fault.field === "timezone"
    ? problem(
        "timezone",
        `${JSON.stringify(timezone)} cannot be used: ${fault.problem}`,
        "a time zone such as Europe/Zurich, or an offset such as +02:00",
        Option.match(Option.fromNullable(nearest(timezone, Intl.supportedValuesOf("timeZone"))), {
          onNone: () => "",
          onSome: didYouMean
        })
      )
    : problem(
        fault.field,
        `${JSON.stringify(cron)} cannot be used: ${fault.problem}`,
        "five cron fields, or six with seconds first, that match a date"
      )

const timed = (intent: ScheduleIntent) => ({
  cron: Option.fromNullable(intent.cron),
  intervalSeconds: Option.fromNullable(intent.intervalSeconds),
  timezone: Option.fromNullable(intent.timezone)
})

/** Reads a schedule from outside; every problem at once, its task judged as an intent is. */
export const readSchedule = (input: unknown): Effect.Effect<ScheduleIntent, Invalid> =>
  Effect.gen(function* () {
    const intent = yield* decodeFields(input)
    const problems = together(intent, yield* now)
    return problems.length === 0 ? intent : yield* new Invalid({ problems })
  })

const sameTiming = (saved: RecurringSchedule, intent: ScheduleIntent): boolean => {
  const { cron, intervalSeconds, timezone } = timed(intent)
  return (
    Option.getOrNull(saved.cron) === Option.getOrNull(cron) &&
    Option.getOrNull(saved.intervalSeconds) === Option.getOrNull(intervalSeconds) &&
    Option.getOrNull(saved.timezone) === Option.getOrNull(timezone)
  )
}

/** When a schedule is due first: as it says, as it was while its timing stays, else now or at the next match. */
const firstRun = (
  intent: ScheduleIntent,
  before: Option.Option<RecurringSchedule>,
  at: DateTime.Utc
): DateTime.Utc => {
  if (intent.nextRunAt !== undefined) return intent.nextRunAt
  const same = Option.filter(before, (one) => sameTiming(one, intent))
  if (Option.isSome(same)) return same.value.nextRunAt
  if (intent.intervalSeconds !== undefined) return at
  const timing = Either.getRight(timingOf(timed(intent), at))
  return Option.getOrElse(
    Option.flatMap(timing, (one) => nextAfter(one, at)),
    () => at
  )
}

/** Due times that have passed unevaluated and that a save gives up as it puts the next one elsewhere. */
const givenUp = (
  before: Option.Option<RecurringSchedule>,
  nextRunAt: DateTime.Utc,
  at: DateTime.Utc
): ReadonlyArray<NewFate> => {
  const moved = Option.filter(before, (one) => !DateTime.Equivalence(one.nextRunAt, nextRunAt))
  if (Option.isNone(moved)) return []
  const reason = Option.some("the schedule was saved anew before this time was evaluated")
  return Option.match(Either.getRight(timingOf(moved.value, at)), {
    onNone: () => [],
    onSome: (timing) =>
      Option.match(evaluate(timing, moved.value.nextRunAt, at), {
        onNone: () => [],
        onSome: (due) => fatesOf(due, { fate: "refused", taskId: Option.none(), reason })
      })
  })
}

/** Saves a schedule under its name: makes it, or replaces the one that has the name. */
export const saveSchedule = Effect.fn("SaveSchedule.saveSchedule")(function* (
  intent: ScheduleIntent,
  actor: Actor
) {
  const store = yield* Store
  const ids = yield* IdSource
  const at = yield* now
  const scheduleId = yield* ids.next
  return yield* store.transact(
    "SaveSchedule.save",
    Effect.gen(function* () {
      // A damaged one has no due time to go on from.
      const before = yield* store.schedules.sound(intent.name)
      const nextRunAt = firstRun(intent, before, at)
      const schedule: NewSchedule = {
        scheduleId,
        name: intent.name,
        ...timed(intent),
        nextRunAt,
        enabled: intent.enabled,
        overlap: intent.overlap,
        task: { ...encodeTask(intent.task) }
      }
      return yield* store.schedules.upsert(schedule, givenUp(before, nextRunAt, at), { at, actor })
    })
  )
})
