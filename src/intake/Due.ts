import { type DateTime, Effect, Either, Option, Schema } from "effect"
import type { Invalid } from "../config/Issues.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import type { RecurringSchedule } from "../domain/RecurringSchedule.ts"
import { type NewTask, TERMINAL } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import {
  cronTiming,
  type Due,
  evaluate,
  everyTiming,
  type Timing,
  type TimingFault,
  unsettledFrom
} from "../schedule/Recurrence.ts"
import type { Tick } from "../schedule/Scheduler.ts"
import type { DueSchedule, NewFate, Unfit } from "../store/Schedules.ts"
import { Store } from "../store/Store.ts"
import { toTask } from "./Enqueue.ts"
import { intentFor, readTemplate } from "./ScheduleTemplate.ts"
import { settledAfter } from "./Settled.ts"

/** So many rows are looked at between two looks at the store. */
const BATCH = 100

/** The schedule is not as it was read any more; nothing of the transaction is kept. */
class Superseded extends Schema.TaggedError<Superseded>()("Superseded", {}) {}

/** How a schedule is timed; Left says why its timing is none. */
export const timingOf = (
  schedule: Pick<RecurringSchedule, "cron" | "intervalSeconds" | "timezone">,
  at: DateTime.Utc
): Either.Either<Timing, TimingFault> =>
  Option.match(schedule.cron, {
    onSome: (expression) => cronTiming(expression, Option.getOrUndefined(schedule.timezone), at),
    onNone: () =>
      Option.match(schedule.intervalSeconds, {
        onNone: () => Either.left({ field: "interval_seconds", problem: "it is missing, and so is cron" }),
        onSome: (seconds) =>
          seconds >= 1
            ? Either.right(everyTiming(seconds))
            : Either.left({ field: "interval_seconds", problem: `${seconds} is below 1` })
      })
  })

/** What is wrong with a timing, for whoever reads why a schedule was turned off or cannot be turned on. */
export const unusable = ({ field, problem }: TimingFault): string => `its ${field} cannot be used: ${problem}`

/** As `unusable`, of the task. */
export const invalid = ({ message }: Invalid): string =>
  `its task is not valid: ${message.replaceAll("\n", "; ")}`

/**
 * Evaluates every schedule that is due at `at`: each creates at most one task, whatever was missed, and every due
 * time gets its fate. One that cannot be evaluated is disabled, visibly, and stops none of the others.
 */
export const tick = traced("Due.tick")(function* (at: DateTime.Utc) {
  const store = yield* Store
  const taskIds: Array<TaskId> = []
  const seen = new Set<string>()
  let schedulesEvaluated = 0
  while (true) {
    const rows = (yield* store.schedules.due(at, BATCH)).filter(
      (row) => !seen.has(idOf(row)) && !seen.has(stateOf(row))
    )
    if (rows.length === 0) return { schedulesEvaluated, taskIds } satisfies Tick
    for (const row of rows) {
      const { isOurs, taskId } = yield* decide(row, at)
      // One that somebody else changed meanwhile is looked at again, as it is by then.
      seen.add(isOurs ? idOf(row) : stateOf(row))
      if (isOurs) schedulesEvaluated++
      taskIds.push(...Option.toArray(taskId))
      // Many may be due at once; a turn of the event loop lets the others of this process go on.
      yield* Effect.sleep(0)
    }
  }
})

const idOf = (row: DueSchedule): string => (row._tag === "Due" ? row.schedule.scheduleId : row.scheduleId)
const stateOf = (row: DueSchedule): string => `${idOf(row)} ${row.fence}`

/** Whether the decision was made here and not by somebody else, and the task that came of it. */
interface Decision {
  readonly isOurs: boolean
  readonly taskId: Option.Option<TaskId>
}

const NOTHING: Decision = { isOurs: false, taskId: Option.none() }

const decide = (row: DueSchedule, at: DateTime.Utc) => {
  if (row._tag === "Damaged") {
    const problem = `its record is damaged: ${row.problem}`
    const fates = Option.map(row.dueAt, (dueAt) => refused(dueAt, problem, at))
    return setAside(row.name, { ...row, problem, next: Option.none(), fates: Option.toArray(fates) })
  }
  const { fence, schedule } = row
  return Either.match(timingOf(schedule, at), {
    onLeft: (fault) => {
      const problem = unusable(fault)
      const fates = [refused(schedule.nextRunAt, problem, at)]
      return setAside(schedule.name, {
        scheduleId: schedule.scheduleId,
        fence,
        problem,
        next: Option.none(),
        fates
      })
    },
    onRight: (timing) =>
      Option.match(evaluate(timing, schedule.nextRunAt, at), {
        onNone: () => Effect.succeed(NOTHING),
        onSome: (due) =>
          Effect.flatMap(settledAfter(schedule.scheduleId, at), (settled) =>
            run(schedule, fence, { ...due, next: unsettledFrom(timing, settled, due.next) }, at)
          )
      })
  })
}

const run = (schedule: RecurringSchedule, fence: string, due: Due, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const { scheduleId } = schedule
    const template = yield* Effect.either(readTemplate(schedule.task))
    if (Either.isLeft(template)) {
      const problem = invalid(template.left)
      const acted = { fate: "refused", taskId: Option.none(), reason: Option.some(problem) } as const
      const fates = fatesOf(due, acted, at)
      return yield* setAside(schedule.name, { scheduleId, fence, problem, next: due.next, fates })
    }
    const store = yield* Store
    const actor = { surface: "schedule", name: schedule.name } as const
    const task = yield* toTask(intentFor(template.right, due.first), { actor, untrusted: false })
    // Not before the task's own time: it would not be due yet when it comes in.
    const stamp = { at: yield* now, actor }
    return yield* store.transact(
      "Due.run",
      Effect.gen(function* () {
        const skipped = yield* overlap(schedule)
        const acted = Option.isSome(skipped) ? skipped.value : yield* fire(task, stamp)
        const { first: dueAt, isExact, missed, next } = due
        const fates = fatesOf(due, acted, at)
        const evaluation = { scheduleId, fence, dueAt, missed, isExact, next, taskId: acted.taskId, fates }
        if (!(yield* store.schedules.evaluated(evaluation, stamp))) return yield* new Superseded()
        return { isOurs: true, taskId: acted.taskId } satisfies Decision
      })
    )
  }).pipe(Effect.catchTag("Superseded", () => Effect.succeed(NOTHING)))

/** What became of the due time that is acted upon. */
type Acted = Pick<NewFate, "fate" | "taskId" | "reason">

/** None unless the schedule's last task is to be waited for and is not at its end. */
const overlap = (schedule: RecurringSchedule) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (schedule.overlap === "allow" || Option.isNone(schedule.lastTaskId)) return Option.none<Acted>()
    const last = yield* store.tasks.find(schedule.lastTaskId.value)
    return Option.filter(last, ({ task }) => !TERMINAL.includes(task.status)).pipe(
      Option.map(
        ({ task }): Acted => ({
          fate: "skipped_overlap",
          taskId: Option.none(),
          reason: Option.some(`its last task ${task.taskId} is ${task.status}`)
        })
      )
    )
  })

const fire = (task: NewTask, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const added = yield* store.tasks.add(task, stamp)
    return added.created
      ? ({ fate: "fired", taskId: Option.some(added.task.taskId), reason: Option.none() } satisfies Acted)
      : ({
          fate: "refused",
          taskId: Option.none(),
          reason: Option.some(`task ${added.task.taskId} holds its dedupe_key`)
        } satisfies Acted)
  })

/** The fate of each due time that has passed: the first by itself, those behind it as one range. */
export const fatesOf = (
  { first, isExact, last, missed, missedFrom }: Due,
  acted: Acted,
  evaluatedAt: DateTime.Utc
): ReadonlyArray<NewFate> => {
  const own: NewFate = { ...acted, firstDueAt: first, lastDueAt: first, missed: 0, evaluatedAt }
  const behind = Option.map(
    missedFrom,
    (from): NewFate => ({
      firstDueAt: from,
      lastDueAt: last,
      missed,
      fate: "coalesced",
      taskId: Option.none(),
      reason: isExact
        ? Option.none()
        : Option.some(`there were more than ${missed}; they were not counted on`),
      evaluatedAt
    })
  )
  return [own, ...Option.toArray(behind)]
}

const refused = (dueAt: DateTime.Utc, reason: string, evaluatedAt: DateTime.Utc): NewFate => ({
  firstDueAt: dueAt,
  lastDueAt: dueAt,
  missed: 0,
  fate: "refused",
  taskId: Option.none(),
  reason: Option.some(reason),
  evaluatedAt
})

const setAside = (name: string, unfit: Unfit) =>
  Effect.gen(function* () {
    const store = yield* Store
    const stamp = { at: yield* now, actor: { surface: "schedule", name } as const }
    const isOurs = yield* store.schedules.quarantine(unfit, stamp)
    if (isOurs) yield* Effect.logWarning(`Schedule ${name} was turned off: ${unfit.problem}`)
    return { isOurs, taskId: Option.none() } satisfies Decision
  })
