import { DateTime, Effect, Option } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import type { RecurringSchedule, ScheduleFate } from "../../src/domain/RecurringSchedule.ts"
import { tick } from "../../src/intake/Due.ts"
import { readSchedule, saveSchedule } from "../../src/intake/SaveSchedule.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR } from "../dispatch/world.ts"

/** The template of a task that says no more than it must. */
export const TASK = { kind: "note", source: "test", payload: {} }

/** Saves a schedule from its document; what is not given is the plainest one of every minute. */
export const save = (document: Readonly<Record<string, unknown>> = {}) => {
  const timing = "cron" in document ? {} : { interval_seconds: 60 }
  return Effect.flatMap(readSchedule({ name: "s", task: TASK, ...timing, ...document }), (intent) =>
    saveSchedule(intent, DOOR.actor)
  )
}

/** Evaluates the schedules by the clock. */
export const tickNow = Effect.flatMap(DateTime.now, tick)

export const scheduleOf = (name = "s") =>
  Effect.flatMap(Store, ({ schedules }) => Effect.map(schedules.find(name), Option.getOrThrow))

/** Fates of a schedule, oldest first. */
export const fatesOf = (schedule: RecurringSchedule) =>
  Effect.flatMap(Store, ({ schedules }) =>
    Effect.map(schedules.fates(schedule.scheduleId, 10_000), (fates) => [...fates].reverse())
  )

export const iso = DateTime.formatIso

/** A fate in one line: `fired 00:00`, `coalesced 00:01-00:05 (5)`. */
export const line = (fate: ScheduleFate): string => {
  const [first, last] = [iso(fate.firstDueAt).slice(11, 19), iso(fate.lastDueAt).slice(11, 19)]
  return fate.fate === "coalesced"
    ? `coalesced ${first}-${last} (${fate.missed})`
    : `${fate.fate} ${first}${fate.missed === 0 ? "" : ` with ${fate.missed}`}`
}

/** Fates of a schedule, oldest first, a line each. */
export const lines = (name = "s") =>
  Effect.flatMap(scheduleOf(name), (schedule) => Effect.map(fatesOf(schedule), (fates) => fates.map(line)))

/** The tasks that there are, oldest first. */
export const tasks = Effect.flatMap(Store, (store) =>
  Effect.map(
    store.tasks.list(
      { status: [], kind: Option.none(), source: Option.none() },
      { limit: 500, after: Option.none() }
    ),
    (page) => [...Option.getOrThrow(page).tasks].reverse()
  )
)

/** The newest events, oldest first. */
export const lastEvents = (count: number) =>
  Effect.flatMap(Store, (store) =>
    Effect.map(store.events.newest(count), (events) =>
      events.map((event) => ({ type: event.eventType, detail: event.detail }))
    )
  )

/** Writes into the table as another program would. */
export const damage = (sql: string) =>
  Effect.flatMap(Sqlite, (sqlite) => sqlite.transact("damage", sqlite.rows({ text: sql, names: [] })))
