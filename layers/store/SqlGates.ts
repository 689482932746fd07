import { Array as Arr, DateTime, Effect, Option, Schema } from "effect"
import { Actor, type Stamp } from "../../src/domain/Actor.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import { errorOfCooling } from "../../src/domain/PutOff.ts"
import { traced } from "../../src/domain/Traced.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { Cooldown, Gates, InHand, Pause } from "../../src/store/Gates.ts"
import { actorJson, orNull, stamped, time } from "./columns.ts"
import { idReader } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import { groundOf } from "./SqlGrounds.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { makeDue } from "./SqlPutOff.ts"
import { statement, type Value } from "./statement.ts"

const PAUSE = statement("SELECT * FROM gates WHERE gate_id = 'dispatch' AND ended_at IS NULL")
const RESUMED = statement("SELECT * FROM gates WHERE gate_id = 'dispatch' AND ended_at IS NOT NULL")
const SET_PAUSE = statement(`
  INSERT INTO gates (gate_id, kind, reason, actor_json, created_at, updated_at)
  VALUES ('dispatch', 'pause', :reason, :actor, :at, :at)
  ON CONFLICT (gate_id) DO UPDATE SET
    reason = coalesce(excluded.reason, CASE WHEN ended_at IS NULL THEN gates.reason END),
    created_at = CASE WHEN ended_at IS NULL THEN gates.created_at ELSE excluded.created_at END,
    actor_json = excluded.actor_json, updated_at = excluded.updated_at, ended_at = NULL
  RETURNING *`)
const CLEAR_PAUSE = statement(`
  UPDATE gates SET actor_json = :actor, updated_at = :at, ended_at = :at
  WHERE gate_id = 'dispatch' AND ended_at IS NULL RETURNING created_at`)
const COOLDOWNS = statement(
  "SELECT * FROM gates WHERE kind = 'cooldown' AND until_at > :now ORDER BY until_at"
)
const COOL_DOWN = statement(`
  INSERT INTO gates (gate_id, kind, adapter_id, reason, until_at, actor_json, created_at, updated_at)
  VALUES (:gateId, 'cooldown', :adapterId, :reason, :until, :actor, :at, :at)
  ON CONFLICT (gate_id) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at,
    actor_json = excluded.actor_json, updated_at = excluded.updated_at
  WHERE excluded.until_at > gates.until_at RETURNING gate_id`)
const CLEAR_COOLDOWN = statement("DELETE FROM gates WHERE gate_id = :gateId RETURNING *")
// So many attempts of an adapter can have been running when its limit was hit; later ones did not start.
const SNOOZED = statement(`
  SELECT task_id, attempt_id FROM (
    SELECT task_id, attempt_id, number, started_at FROM attempts_by_start WHERE adapter_id = :adapterId
    ORDER BY started_at DESC LIMIT 1000) AS recent
  WHERE number = (SELECT max(number) FROM attempts WHERE attempts.task_id = recent.task_id)
    AND EXISTS (SELECT 1 FROM events_by_task AS event WHERE event.task_id = recent.task_id
      AND event.attempt_id = recent.attempt_id AND event_type = 'rate_limit_rescheduled')`)
const MAKE_DUE = statement(`
  UPDATE tasks SET ready = 1, available_at = :at, updated_at = :at
  WHERE task_id = :taskId AND ready = 0 AND status = 'retryable_failure' AND available_at > :at RETURNING task_id`)
// From the attempts, which are few: the planner, which knows no figures, might begin with the tasks.
const IN_HAND = statement(`
  SELECT attempts.task_id, attempts.adapter_id, attempts.started_at, working_dir, workspace,
    requested_adapter, requested_profile, untrusted
  FROM attempts INDEXED BY attempts_open CROSS JOIN tasks USING (task_id) WHERE attempts.status = 'running'`)

const decodeActor = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(Actor)))
const unknownActor: Actor = { surface: "cli", name: "unknown" }

const text = (row: Row, column: string): Option.Option<string> =>
  Option.fromNullable(row[column]).pipe(Option.map(String))

const timeOf = (value: Value | undefined) => Option.map(DateTime.make(String(value)), DateTime.toUtc)

const actorOf = (row: Row): Actor => Option.getOrElse(decodeActor()(row.actor_json), () => unknownActor)

const toPause = (row: Row): Pause => ({
  reason: text(row, "reason"),
  since: Option.getOrElse(timeOf(row.updated_at), () => DateTime.unsafeMake(0)),
  actor: actorOf(row)
})

/** What the event of a pause tells of the one that it took the place of. */
const replaced = ({ actor, reason, since }: Pause) => ({
  before: { reason: Option.getOrNull(reason), updated_at: time(since), actor }
})

// A cool-down whose end cannot be read must not hold its adapter back for ever.
const toCooldown = (row: Row): Option.Option<Cooldown> =>
  Option.map(timeOf(row.until_at), (until) => ({
    adapterId: String(row.adapter_id),
    reason: text(row, "reason"),
    until
  }))

const gateOf = (adapterId: string): string => `adapter:${adapterId}`

const taskIdOf = idReader(TaskId)

const toInHand = (row: Row): InHand => ({
  taskId: taskIdOf(row.task_id),
  adapterId: text(row, "adapter_id"),
  ground: groundOf(row),
  since: Option.getOrElse(timeOf(row.started_at), () => DateTime.unsafeMake(0)),
  requestedAdapter: text(row, "requested_adapter"),
  requestedProfile: text(row, "requested_profile"),
  untrusted: row.untrusted !== 0
})

/**
 * Makes the tasks that an adapter's limit put off due now, its own and those that fell back to it; each has that in its
 * own history.
 */
const endWaits = (sqlite: Sqlite["Type"], { adapterId, until }: Cooldown, stamp: Stamp) =>
  Effect.gen(function* () {
    const at = time(stamp.at)
    const reason = `the cool-down of adapter ${adapterId} was ended`
    for (const snoozed of yield* sqlite.rows(SNOOZED, { adapterId })) {
      const taskId = String(snoozed.task_id)
      if ((yield* sqlite.rows(MAKE_DUE, { taskId, at })).length === 0) continue
      const subject = { taskId, attemptId: String(snoozed.attempt_id) }
      yield* appendEvent(sqlite, "rate_limit_rescheduled", subject, { available_at: at, reason }, stamp)
    }
    yield* makeDue(sqlite, { opensAt: until, named: errorOfCooling(adapterId) }, reason, stamp)
  })

export const make = (sqlite: Sqlite["Type"]): Gates => ({
  pause: Effect.map(sqlite.rows(PAUSE), (rows) => Option.map(Option.fromNullable(rows[0]), toPause)),
  resumed: Effect.map(sqlite.rows(RESUMED), ([row]) =>
    Option.flatMap(Option.fromNullable(row), (ended) =>
      Option.map(timeOf(ended.ended_at), (at): Stamp => ({ at, actor: actorOf(ended) }))
    )
  ),
  setPause: traced("Gates.setPause")((reason, stamp) =>
    sqlite.transact(
      "Gates.setPause",
      Effect.gen(function* () {
        const values = { reason: orNull(reason), actor: actorJson(stamp.actor), at: time(stamp.at) }
        const before = Option.map(Option.fromNullable((yield* sqlite.rows(PAUSE))[0]), toPause)
        const row = (yield* sqlite.rows(SET_PAUSE, values))[0]!
        const detail = {
          reason: values.reason,
          ...Option.getOrElse(Option.map(before, replaced), () => ({}))
        }
        yield* appendEvent(sqlite, "dispatch_pause_enabled", {}, detail, stamp)
        return { pause: toPause(row), before }
      })
    )
  ),
  clearPause: traced("Gates.clearPause")((stamp) =>
    sqlite.transact(
      "Gates.clearPause",
      Effect.gen(function* () {
        const cleared = (yield* sqlite.rows(CLEAR_PAUSE, stamped(stamp)))[0]
        if (cleared === undefined) return false
        yield* appendEvent(
          sqlite,
          "dispatch_pause_cleared",
          {},
          { paused_since: String(cleared.created_at) },
          stamp
        )
        return true
      })
    )
  ),
  cooldowns: traced("Gates.cooldowns")((now) =>
    Effect.map(sqlite.rows(COOLDOWNS, { now: time(now) }), (rows) => Arr.filterMap(rows, toCooldown))
  ),
  coolDown: traced("Gates.coolDown")((cooldown, cause, stamp) =>
    sqlite.transact(
      "Gates.coolDown",
      Effect.gen(function* () {
        const set = yield* sqlite.rows(COOL_DOWN, {
          gateId: gateOf(cooldown.adapterId),
          adapterId: cooldown.adapterId,
          reason: orNull(cooldown.reason),
          until: time(cooldown.until),
          actor: actorJson(stamp.actor),
          at: time(stamp.at)
        })
        if (set.length === 0) return
        const detail = {
          adapter_id: cooldown.adapterId,
          until: time(cooldown.until),
          reason: orNull(cooldown.reason)
        }
        yield* appendEvent(
          sqlite,
          "adapter_cooldown",
          Option.getOrElse(cause, () => ({})),
          detail,
          stamp
        )
      })
    )
  ),
  clearCooldown: traced("Gates.clearCooldown")((adapterId, stamp) =>
    sqlite.transact(
      "Gates.clearCooldown",
      Effect.gen(function* () {
        const rows = yield* sqlite.rows(CLEAR_COOLDOWN, { gateId: gateOf(adapterId) })
        const ended = Option.flatMap(Option.fromNullable(rows[0]), toCooldown).pipe(
          Option.filter(({ until }) => DateTime.greaterThan(until, stamp.at))
        )
        if (Option.isNone(ended)) return false
        const detail = {
          adapter_id: adapterId,
          cleared: true,
          until: time(ended.value.until),
          reason: orNull(ended.value.reason)
        }
        yield* appendEvent(sqlite, "adapter_cooldown", {}, detail, stamp)
        yield* endWaits(sqlite, ended.value, stamp)
        return true
      })
    )
  ),
  inHand: Effect.map(sqlite.rows(IN_HAND), (rows) => rows.map(toInHand))
})
