import { type DateTime, Effect, Either, Option } from "effect"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Actor } from "../domain/Actor.ts"
import type { RecurringSchedule } from "../domain/RecurringSchedule.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { invalid, timingOf, unusable } from "../intake/Due.ts"
import { readSchedule, saveSchedule } from "../intake/SaveSchedule.ts"
import { readTemplate } from "../intake/ScheduleTemplate.ts"
import { putOneRight } from "../intake/SetBack.ts"
import { readTickTime } from "../intake/TickTime.ts"
import { Scheduler } from "../schedule/Scheduler.ts"
import { Store } from "../store/Store.ts"
import {
  RemovedSchedule,
  SavedSchedule,
  ScheduleList,
  ScheduleStory,
  Ticked,
  TurnedSchedule
} from "./answers/Schedules.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"
import { said } from "./Said.ts"

/** How many fates `schedule-show` tells, the newest ones: three days of a heartbeat of 305 s. */
const MOST_FATES = 1_000

const notFound = (name: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const likely = nearest(
      name,
      (yield* store.schedules.list).map((one) => one.name)
    )
    return yield* new Refusal({
      code: "schedule_not_found",
      message: `there is no schedule named ${abridged(name)}`,
      hint: `${likely === undefined ? "" : `${didYouMean(likely)} `}agent-runtime schedule-list shows all of them`
    })
  })

/** Saves a schedule from its document, over the one that has its name. */
export const create = operation({
  name: "schedules.save",
  role: "operate",
  output: SavedSchedule,
  run: traced("Schedules.create")(function* (input: unknown, actor) {
    const schedule = yield* saveSchedule(yield* readSchedule(input), actor)
    return { upserted: true as const, schedule }
  })
})

/** All schedules, by name. */
export const list = operation({
  name: "schedules.list",
  role: "read",
  output: ScheduleList,
  run: traced("Schedules.list")(function* () {
    const store = yield* Store
    return { schedules: yield* store.schedules.list }
  })
})

const found = (name: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const schedule = yield* store.schedules.find(name)
    return Option.isNone(schedule) ? yield* notFound(name) : schedule.value
  })

/** A schedule with what became of its due times, newest first. */
export const show = operation({
  name: "schedules.show",
  role: "read",
  output: ScheduleStory,
  run: traced("Schedules.show")(function* (input: { readonly name: string }) {
    const store = yield* Store
    const schedule = yield* found(input.name)
    return { schedule, fates: yield* store.schedules.fates(schedule.scheduleId, MOST_FATES) }
  })
})

/** Evaluates what is due, by the clock or at a given time; none at a time that would turn a schedule off for good. */
export const tick = operation({
  name: "schedules.tick",
  role: "operate",
  output: Ticked,
  run: traced("Schedules.tick")(function* (input: { readonly at: Option.Option<DateTime.Utc> }) {
    const scheduler = yield* Scheduler
    const at = Option.isSome(input.at) ? yield* readTickTime(input.at.value) : yield* now
    const { schedulesEvaluated, taskIds } = yield* scheduler.tick(at)
    return { schedulesEvaluated, tasksCreated: taskIds.length, taskIds }
  })
})

const turn = (name: string, enabled: boolean, given: Option.Option<string>, actor: Actor) =>
  Effect.gen(function* () {
    const store = yield* Store
    const reason = yield* said("reason", given)
    const at = yield* now
    // To be turned on or off is a change as well: afterwards nobody could tell that the time was set before.
    const turned = yield* store.transact(
      "Schedules.turn",
      Effect.gen(function* () {
        const sound = yield* store.schedules.sound(name)
        if (Option.isSome(sound)) yield* putOneRight(sound.value, at)
        return yield* store.schedules.setEnabled(name, enabled, reason, { at, actor })
      })
    )
    return Option.isNone(turned) ? yield* notFound(name) : { ok: true as const, schedule: turned.value }
  })

/** What keeps a schedule from being evaluated, whoever turned it off. */
const unfit = (schedule: RecurringSchedule) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (Option.isNone(yield* store.schedules.sound(schedule.name))) return schedule.disabledReason
    const timing = timingOf(schedule, yield* now)
    if (Either.isLeft(timing)) return Option.some(unusable(timing.left))
    const template = yield* Effect.either(readTemplate(schedule.task))
    return Option.map(Either.getLeft(template), invalid)
  })

/**
 * Turns a schedule on; what it missed meanwhile is one run. One that cannot be evaluated as it stands is refused:
 * it would be turned off again when it is due.
 */
export const enable = operation({
  name: "schedules.enable",
  role: "operate",
  output: TurnedSchedule,
  run: traced("Schedules.enable")(function* (input: { readonly name: string }, actor) {
    const problem = yield* unfit(yield* found(input.name))
    if (Option.isSome(problem))
      return yield* new Refusal({
        code: "schedule_invalid",
        message: `schedule ${input.name} cannot be turned on: ${problem.value}`,
        hint: "save it anew with agent-runtime schedule-create"
      })
    return yield* turn(input.name, true, Option.none(), actor)
  })
})

/** Turns a schedule off, with a reason where there is one. */
export const disable = operation({
  name: "schedules.disable",
  role: "operate",
  output: TurnedSchedule,
  run: traced("Schedules.disable")(function* (
    input: { readonly name: string; readonly reason: Option.Option<string> },
    actor
  ) {
    return yield* turn(input.name, false, input.reason, actor)
  })
})

/** Removes a schedule; the tasks that it created stay. */
export const remove = operation({
  name: "schedules.delete",
  role: "operate",
  output: RemovedSchedule,
  run: traced("Schedules.remove")(function* (input: { readonly name: string }, actor) {
    const store = yield* Store
    const removed = yield* store.schedules.remove(input.name, { at: yield* now, actor })
    return removed ? { ok: true as const, name: input.name } : yield* notFound(input.name)
  })
})
