import { DateTime, Effect, Either, Option, Predicate, Schema } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { decodeWith, type Invalid, type Problem } from "../config/Issues.ts"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import type { Actor } from "../domain/Actor.ts"
import { IdSource } from "../domain/Ids.ts"
import { CronText, type RecurringSchedule, ScheduleIntent, ZoneText } from "../domain/RecurringSchedule.ts"
import { Intent } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { cronTiming, evaluate, nextAfter, type TimingFault } from "../schedule/Recurrence.ts"
import type { NewFate, NewSchedule } from "../store/Schedules.ts"
import { Store } from "../store/Store.ts"
import { fatesOf, timingOf } from "./Due.ts"
import { templateProblems } from "./ScheduleTemplate.ts"
import { rightTime } from "./SetBack.ts"
import { withoutSecrets } from "./WithoutSecrets.ts"

const encodeTask = Schema.encodeSync(Intent)

const problem = (path: string, found: string, expected: string, remedy = ""): Problem => ({
  kind: "rule",
  path,
  found,
  expected,
  remedy
})

const isCron = Schema.is(CronText)
const isZone = Schema.is(ZoneText)

/**
 * What is wrong with the cron and the time zone, each for itself where both are there: one that is wrong hides
 * nothing of the other.
 */
const timingProblems = (
  cron: string | undefined,
  timezone: string | undefined,
  at: DateTime.Utc
): ReadonlyArray<Problem> => {
  const faultOf = (expression: string, zone: string | undefined) =>
    Option.toArray(Either.getLeft(cronTiming(expression, zone, at)))
  const apart = [
    ...(timezone === undefined ? [] : faultOf(EVERY_MINUTE, timezone)),
    ...(cron === undefined ? [] : faultOf(cron, undefined))
  ]
  const faults = apart.length > 0 || cron === undefined ? apart : faultOf(cron, timezone)
  return faults.map((fault) => wrongTiming(fault, cron ?? "", timezone ?? ""))
}

/** A cron that any time zone goes with. */
const EVERY_MINUTE = "* * * * *"

/** Null is no value of any of these fields, and is told as that. */
const given = (field: unknown): boolean => field !== undefined && field !== null

/** What the fields say together; each by itself is judged beside it. */
const together =
  (at: DateTime.Utc) =>
  ({ cron, interval_seconds, task, timezone }: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> => {
    const both = given(cron) && given(interval_seconds)
    const neither = cron === undefined && interval_seconds === undefined
    return [
      ...(both
        ? [problem("cron", "there is an interval_seconds beside it", "one of the two", "remove one")]
        : []),
      ...(neither ? [problem("interval_seconds", "it is missing, and so is cron", "one of the two")] : []),
      ...(given(timezone) && cron === undefined
        ? [problem("timezone", "there is no cron beside it", "it with cron only", "remove it")]
        : []),
      ...timingProblems(isCron(cron) ? cron : undefined, isZone(timezone) ? timezone : undefined, at),
      ...(Predicate.isReadonlyRecord(task) ? templateProblems(task, "task.") : [])
    ]
  }

const wrongTiming = (fault: TimingFault, cron: string, timezone: string): Problem =>
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
  Effect.flatMap(now, (at) => decodeWith(ScheduleIntent, together(at))(input))

const sameTiming = (saved: RecurringSchedule, intent: ScheduleIntent): boolean => {
  const { cron, intervalSeconds, timezone } = timed(intent)
  return (
    Option.getOrNull(saved.cron) === Option.getOrNull(cron) &&
    Option.getOrNull(saved.intervalSeconds) === Option.getOrNull(intervalSeconds) &&
    Option.getOrNull(saved.timezone) === Option.getOrNull(timezone)
  )
}

/** When a schedule is due first: as it says, as it was while its timing stays, else now or at the next match. */
const firstRun = (intent: ScheduleIntent, before: Option.Option<RecurringSchedule>, at: DateTime.Utc) =>
  Effect.gen(function* () {
    if (intent.nextRunAt !== undefined) return intent.nextRunAt
    const same = Option.filter(before, (one) => sameTiming(one, intent))
    if (Option.isSome(same))
      return Option.getOrElse(yield* rightTime(same.value, at), () => same.value.nextRunAt)
    if (intent.intervalSeconds !== undefined) return at
    const timing = Either.getRight(timingOf(timed(intent), at))
    return Option.getOrElse(
      Option.flatMap(timing, (one) => nextAfter(one, at)),
      () => at
    )
  })

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
        onSome: (due) => fatesOf(due, { fate: "refused", taskId: Option.none(), reason }, at)
      })
  })
}

/** Saves a schedule under its name: makes it, or replaces the one that has the name. */
export const saveSchedule = traced("SaveSchedule.saveSchedule")(function* (
  intent: ScheduleIntent,
  actor: Actor
) {
  const store = yield* Store
  const ids = yield* IdSource
  const at = yield* now
  const scheduleId = yield* ids.next
  const secrets = yield* secretsMasked
  const name = secrets.text(intent.name)
  const task = withoutSecrets(intent.task, secrets)
  return yield* store.transact(
    "SaveSchedule.save",
    Effect.gen(function* () {
      // A damaged one has no due time to go on from.
      const before = yield* store.schedules.sound(name)
      const nextRunAt = yield* firstRun(intent, before, at)
      const schedule: NewSchedule = {
        scheduleId,
        name,
        ...timed(intent),
        nextRunAt,
        enabled: intent.enabled,
        overlap: intent.overlap,
        task: { ...encodeTask(task) }
      }
      return yield* store.schedules.upsert(schedule, givenUp(before, nextRunAt, at), { at, actor })
    })
  )
})
