import { Array as Arr, DateTime, Effect, Option, Schema } from "effect"
import { Actor } from "../../src/domain/Actor.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { Cooldown, Gates, Pause } from "../../src/store/Gates.ts"
import { actorJson, orNull, time } from "./columns.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement, type Value } from "./statement.ts"

const PAUSE = statement("SELECT * FROM gates WHERE gate_id = 'dispatch'")
const SET_PAUSE = statement(`
  INSERT INTO gates (gate_id, kind, reason, actor_json, created_at, updated_at)
  VALUES ('dispatch', 'pause', :reason, :actor, :at, :at)
  ON CONFLICT (gate_id) DO UPDATE SET reason = coalesce(excluded.reason, gates.reason), actor_json = excluded.actor_json,
    updated_at = excluded.updated_at
  RETURNING *`)
const CLEAR_PAUSE = statement("DELETE FROM gates WHERE gate_id = 'dispatch' RETURNING created_at")
const COOLDOWNS = statement(
  "SELECT * FROM gates WHERE kind = 'cooldown' AND until_at > :now ORDER BY until_at"
)
const COOL_DOWN = statement(`
  INSERT INTO gates (gate_id, kind, adapter_id, reason, until_at, actor_json, created_at, updated_at)
  VALUES (:gateId, 'cooldown', :adapterId, :reason, :until, :actor, :at, :at)
  ON CONFLICT (gate_id) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at,
    actor_json = excluded.actor_json, updated_at = excluded.updated_at
  WHERE excluded.until_at > gates.until_at RETURNING gate_id`)

const decodeActor = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(Actor)))
const unknownActor: Actor = { surface: "cli", name: "unknown" }

const text = (row: Row, column: string): Option.Option<string> =>
  Option.fromNullable(row[column]).pipe(Option.map(String))

const timeOf = (value: Value | undefined) => Option.map(DateTime.make(String(value)), DateTime.toUtc)

const toPause = (row: Row): Pause => ({
  reason: text(row, "reason"),
  since: Option.getOrElse(timeOf(row.created_at), () => DateTime.unsafeMake(0)),
  actor: Option.getOrElse(decodeActor()(row.actor_json), () => unknownActor)
})

// A cool-down whose end cannot be read must not hold its adapter back for ever.
const toCooldown = (row: Row): Option.Option<Cooldown> =>
  Option.map(timeOf(row.until_at), (until) => ({
    adapterId: String(row.adapter_id),
    reason: text(row, "reason"),
    until
  }))

export const make = (sqlite: Sqlite["Type"]): Gates => ({
  pause: Effect.map(sqlite.rows(PAUSE), (rows) => Option.map(Option.fromNullable(rows[0]), toPause)),
  setPause: Effect.fn("Gates.setPause")((reason, stamp) =>
    sqlite.transact(
      "Gates.setPause",
      Effect.gen(function* () {
        const values = { reason: orNull(reason), actor: actorJson(stamp.actor), at: time(stamp.at) }
        const row = (yield* sqlite.rows(SET_PAUSE, values))[0]!
        yield* appendEvent(sqlite, "dispatch_pause_enabled", {}, { reason: values.reason }, stamp)
        return toPause(row)
      })
    )
  ),
  clearPause: Effect.fn("Gates.clearPause")((stamp) =>
    sqlite.transact(
      "Gates.clearPause",
      Effect.gen(function* () {
        const cleared = (yield* sqlite.rows(CLEAR_PAUSE))[0]
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
  cooldowns: Effect.fn("Gates.cooldowns")((now) =>
    Effect.map(sqlite.rows(COOLDOWNS, { now: time(now) }), (rows) => Arr.filterMap(rows, toCooldown))
  ),
  coolDown: Effect.fn("Gates.coolDown")((cooldown, stamp) =>
    sqlite.transact(
      "Gates.coolDown",
      Effect.gen(function* () {
        const set = yield* sqlite.rows(COOL_DOWN, {
          gateId: `adapter:${cooldown.adapterId}`,
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
        yield* appendEvent(sqlite, "adapter_cooldown", {}, detail, stamp)
      })
    )
  )
})
