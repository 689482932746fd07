import { Array, Effect, Either, Option, Schema } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { RecurringSchedule, ScheduleFate } from "../../src/domain/RecurringSchedule.ts"
import { Time } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import type {
  DueSchedule,
  Evaluation,
  NewFate,
  NewSchedule,
  Schedules,
  Unfit
} from "../../src/store/Schedules.ts"
import { actorJson, json, orNull, time } from "./columns.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import * as SetBack from "./SqlSetBack.ts"
import { statement } from "./statement.ts"

const UPSERT = statement(`
  INSERT INTO schedules (schedule_id, name, enabled, interval_seconds, cron, timezone, next_run_at, overlap, task_json,
    created_by_json, created_at, updated_at)
  VALUES (:scheduleId, :name, :enabled, :intervalSeconds, :cron, :timezone, :nextRunAt, :overlap, :task, :createdBy, :at, :at)
  ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, interval_seconds = excluded.interval_seconds,
    cron = excluded.cron, timezone = excluded.timezone, next_run_at = excluded.next_run_at, overlap = excluded.overlap,
    task_json = excluded.task_json, disabled_reason = NULL, updated_at = excluded.updated_at
  RETURNING *`)
// What another program wrote into a row stays in the columns that a save does not set.
const MEND = statement(`
  UPDATE schedules SET last_run_at = NULL, last_task_id = NULL, created_at = :at WHERE schedule_id = :scheduleId RETURNING *`)
const FIND = statement("SELECT * FROM schedules WHERE name = :name")
const LIST = statement("SELECT * FROM schedules ORDER BY name LIMIT 10000")
// The state that is read: every change of a row puts another time into one of the two.
const DUE = statement(`
  SELECT *, next_run_at || ' ' || updated_at AS fence FROM schedules
  WHERE enabled = 1 AND next_run_at <= :at ORDER BY next_run_at LIMIT :limit`)
// What sorts behind all times is none; it would never be due.
const NO_TIME = statement(`
  SELECT *, next_run_at || ' ' || updated_at AS fence FROM schedules
  WHERE enabled = 1 AND next_run_at > '9999-12-31T23:59:59.999Z' ORDER BY next_run_at LIMIT :limit`)
// More than one, for those whose time is none are passed over.
const EARLIEST = statement(`
  SELECT next_run_at AS at FROM schedules
  WHERE enabled = 1 AND next_run_at BETWEEN '0' AND '9999-12-31T23:59:59.999Z' ORDER BY next_run_at LIMIT 100`)
const EVALUATED = statement(`
  UPDATE schedules SET next_run_at = coalesce(:next, next_run_at), enabled = :enabled, disabled_reason = :reason,
    last_run_at = coalesce(:ranAt, last_run_at), last_task_id = coalesce(:taskId, last_task_id), updated_at = :at
  WHERE schedule_id = :scheduleId AND next_run_at || ' ' || updated_at = :fence AND enabled = 1 RETURNING name`)
const ADD_FATE = statement(`
  INSERT INTO schedule_fates (schedule_id, first_due_at, last_due_at, missed, fate, task_id, reason, evaluated_at)
  VALUES (:scheduleId, :firstDueAt, :lastDueAt, :missed, :fate, :taskId, :reason, :at)`)
const SET_ENABLED = statement(`
  UPDATE schedules SET enabled = :enabled, disabled_reason = :reason, updated_at = :at WHERE name = :name RETURNING *`)
const QUARANTINE = statement(`
  UPDATE schedules SET next_run_at = coalesce(:next, next_run_at), enabled = 0, disabled_reason = :reason, updated_at = :at
  WHERE schedule_id = :scheduleId AND next_run_at || ' ' || updated_at = :fence AND enabled = 1 RETURNING name`)
const REMOVE = statement("DELETE FROM schedules WHERE name = :name RETURNING schedule_id")
const FATES = statement(`
  SELECT fate.*, task.status AS task_status FROM schedule_fates AS fate
  LEFT JOIN tasks AS task ON task.task_id = fate.task_id
  WHERE fate.schedule_id = :scheduleId ORDER BY fate.id DESC LIMIT :limit`)

const read = reader("schedules", "schedule_id", RecurringSchedule)
// A schedule that does not decode is shown, disabled, with what is wrong.
const salvaged = salvager(
  RecurringSchedule,
  {
    schedule_id: "unreadable",
    name: "unreadable",
    next_run_at: EPOCH,
    overlap: "skip",
    task: {},
    created_at: EPOCH,
    updated_at: EPOCH
  },
  (problem) => ({ enabled: false, disabled_reason: problem })
)
const shown = (row: Row): RecurringSchedule =>
  Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const readTime = Schema.decodeUnknownEither(Time)
const readFate = reader("schedule_fates", "id", ScheduleFate)

const NEVER_AGAIN = "it is never due again"

const due = (row: Row): DueSchedule => {
  const fence = String(row.fence)
  return Either.match(read(row), {
    onLeft: ({ problem }) => ({
      _tag: "Damaged",
      scheduleId: String(row.schedule_id),
      name: String(row.name),
      dueAt: Either.getRight(readTime(row.next_run_at)),
      problem,
      fence
    }),
    onRight: (schedule) => ({ _tag: "Due", schedule, fence })
  })
}

const addFates = (sqlite: Sqlite["Type"], scheduleId: string, fates: ReadonlyArray<NewFate>) =>
  Effect.forEach(
    fates,
    (fate) =>
      sqlite.rows(ADD_FATE, {
        scheduleId,
        firstDueAt: time(fate.firstDueAt),
        lastDueAt: time(fate.lastDueAt),
        missed: fate.missed,
        fate: fate.fate,
        taskId: orNull(fate.taskId),
        reason: orNull(fate.reason),
        at: time(fate.evaluatedAt)
      }),
    { discard: true }
  )

const upsert = (
  sqlite: Sqlite["Type"],
  schedule: NewSchedule,
  passed: ReadonlyArray<NewFate>,
  stamp: Stamp
) =>
  sqlite.transact(
    "Schedules.upsert",
    Effect.gen(function* () {
      const at = time(stamp.at)
      const rows = yield* sqlite.rows(UPSERT, {
        scheduleId: schedule.scheduleId,
        name: schedule.name,
        enabled: schedule.enabled ? 1 : 0,
        intervalSeconds: orNull(schedule.intervalSeconds),
        cron: orNull(schedule.cron),
        timezone: orNull(schedule.timezone),
        nextRunAt: time(schedule.nextRunAt),
        overlap: schedule.overlap,
        task: json(schedule.task),
        createdBy: actorJson(stamp.actor),
        at
      })
      const row = rows[0]!
      const scheduleId = String(row.schedule_id)
      const saved = Either.isRight(read(row))
        ? shown(row)
        : shown((yield* sqlite.rows(MEND, { scheduleId, at }))[0]!)
      yield* addFates(sqlite, scheduleId, passed)
      const detail = { name: saved.name, enabled: saved.enabled, next_run_at: time(saved.nextRunAt) }
      yield* appendEvent(sqlite, "schedule_upserted", { scheduleId }, detail, stamp)
      return saved
    })
  )

const evaluated = (
  sqlite: Sqlite["Type"],
  { dueAt, fates, fence, isExact, missed, next, scheduleId, taskId }: Evaluation,
  stamp: Stamp
) =>
  sqlite.transact(
    "Schedules.evaluated",
    Effect.gen(function* () {
      const at = time(stamp.at)
      const isRun = Option.isSome(taskId)
      const moved = yield* sqlite.rows(EVALUATED, {
        scheduleId,
        fence,
        next: orNull(Option.map(next, time)),
        enabled: Option.isSome(next) ? 1 : 0,
        reason: Option.isSome(next) ? null : NEVER_AGAIN,
        ranAt: isRun ? at : null,
        taskId: orNull(taskId),
        at
      })
      if (moved[0] === undefined) return false
      yield* addFates(sqlite, scheduleId, fates)
      const detail = {
        name: String(moved[0].name),
        due_at: time(dueAt),
        missed,
        ...(isExact ? {} : { missed_is_exact: false }),
        next_run_at: orNull(Option.map(next, time))
      }
      const subject = { scheduleId, taskId: Option.getOrNull(taskId) }
      const reason = Option.getOrNull(Option.flatMap(Array.head(fates), (fate) => fate.reason))
      // The history has one word for a due time that made no task; its detail has the fate.
      yield* isRun
        ? appendEvent(sqlite, "schedule_task_created", subject, detail, stamp)
        : appendEvent(
            sqlite,
            "schedule_skipped_overlap",
            subject,
            { ...detail, fate: fates[0]?.fate ?? "refused", reason },
            stamp
          )
      return true
    })
  )

const setEnabled = (
  sqlite: Sqlite["Type"],
  name: string,
  enabled: boolean,
  reason: Option.Option<string>,
  stamp: Stamp
) =>
  sqlite.transact(
    "Schedules.setEnabled",
    Effect.gen(function* () {
      const why = enabled ? null : Option.getOrNull(reason)
      const values = { name, enabled: enabled ? 1 : 0, reason: why, at: time(stamp.at) }
      const row = (yield* sqlite.rows(SET_ENABLED, values))[0]
      if (row === undefined) return Option.none()
      const schedule = shown(row)
      const detail = { name, enabled, reason: why }
      yield* appendEvent(sqlite, "schedule_upserted", { scheduleId: schedule.scheduleId }, detail, stamp)
      return Option.some(schedule)
    })
  )

const quarantine = (
  sqlite: Sqlite["Type"],
  { fates, fence, next, problem, scheduleId }: Unfit,
  stamp: Stamp
) =>
  sqlite.transact(
    "Schedules.quarantine",
    Effect.gen(function* () {
      const moved = yield* sqlite.rows(QUARANTINE, {
        scheduleId,
        fence,
        next: orNull(Option.map(next, time)),
        reason: problem,
        at: time(stamp.at)
      })
      if (moved[0] === undefined) return false
      yield* addFates(sqlite, scheduleId, fates)
      const detail = { table: "schedules", id: scheduleId, name: String(moved[0].name), problem }
      yield* appendEvent(sqlite, "record_quarantined", { scheduleId }, detail, stamp)
      return true
    })
  )

const remove = (sqlite: Sqlite["Type"], name: string, stamp: Stamp) =>
  sqlite.transact(
    "Schedules.remove",
    Effect.gen(function* () {
      const row = (yield* sqlite.rows(REMOVE, { name }))[0]
      if (row === undefined) return false
      const scheduleId = String(row.schedule_id)
      yield* appendEvent(sqlite, "schedule_upserted", { scheduleId }, { name, deleted: true }, stamp)
      return true
    })
  )

export const make = (sqlite: Sqlite["Type"]): Schedules => ({
  upsert: traced("Schedules.upsert")((schedule, passed, stamp) => upsert(sqlite, schedule, passed, stamp)),
  find: traced("Schedules.find")((name) =>
    Effect.map(sqlite.rows(FIND, { name }), (rows) => Option.map(Array.head(rows), shown))
  ),
  sound: traced("Schedules.sound")((name) =>
    Effect.map(sqlite.rows(FIND, { name }), (rows) =>
      Option.flatMap(Array.head(rows), (row) => Either.getRight(read(row)))
    )
  ),
  list: Effect.map(sqlite.rows(LIST), (rows) => rows.map(shown)),
  due: traced("Schedules.due")((at, limit) =>
    Effect.gen(function* () {
      const none = yield* sqlite.rows(NO_TIME, { limit })
      return [...none, ...(yield* sqlite.rows(DUE, { at: time(at), limit }))].map(due)
    })
  ),
  nextDue: Effect.map(sqlite.rows(EARLIEST), (rows) =>
    Array.findFirst(rows, ({ at }) =>
      // A time in another form sorts elsewhere than it says: whoever waits for it would wait in vain.
      Option.filter(Either.getRight(readTime(at)), (one) => time(one) === at)
    )
  ),
  ...SetBack.make(sqlite),
  evaluated: traced("Schedules.evaluated")((evaluation, stamp) => evaluated(sqlite, evaluation, stamp)),
  setEnabled: traced("Schedules.setEnabled")((name, enabled, reason, stamp) =>
    setEnabled(sqlite, name, enabled, reason, stamp)
  ),
  quarantine: traced("Schedules.quarantine")((unfit, stamp) => quarantine(sqlite, unfit, stamp)),
  remove: traced("Schedules.remove")((name, stamp) => remove(sqlite, name, stamp)),
  fates: traced("Schedules.fates")((scheduleId, limit) =>
    Effect.map(sqlite.rows(FATES, { scheduleId, limit }), (rows) =>
      rows.flatMap((row) => Option.toArray(Either.getRight(readFate(row))))
    )
  )
})
