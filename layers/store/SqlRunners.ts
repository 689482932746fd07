import { DateTime, Effect, Option, Schema } from "effect"
import { RunnerId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { OpenRunner, RunnerState, Runners } from "../../src/store/Runners.ts"
import { json, orNull, time } from "./columns.ts"
import { idReader } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const BEGIN = statement(`
  INSERT INTO runners (runner_id, host, pid, process_mark, mode, lock_path, limits_json, started_at)
  VALUES (:runnerId, :host, :pid, :processMark, :mode, :lockPath, :limits, :at)
  ON CONFLICT (runner_id) DO UPDATE SET mode = excluded.mode, lock_path = excluded.lock_path,
    limits_json = excluded.limits_json, draining_at = NULL, ended_at = NULL`)
const FIND = statement(
  "SELECT mode, limits_json, draining_at FROM runners WHERE runner_id = :id AND ended_at IS NULL"
)
const DRAINS = statement(
  "UPDATE runners SET draining_at = :at WHERE runner_id = :id AND draining_at IS NULL AND ended_at IS NULL"
)
const END = statement("UPDATE runners SET ended_at = :at WHERE runner_id = :id AND ended_at IS NULL")
const OPEN = statement(
  "SELECT runner_id, host, pid, process_mark, mode, lock_path FROM runners WHERE ended_at IS NULL"
)

const Limits = onFirstUse(() =>
  Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ concurrency: Schema.Number })))
)

const modeOf = ({ mode }: Row): RunnerState["mode"] => (mode === "run-once" ? "run-once" : "dispatch")

const toState = (row: Row): RunnerState => ({
  mode: modeOf(row),
  concurrency: Option.map(Limits()(row.limits_json), ({ concurrency }) => concurrency),
  drainingSince: Option.fromNullable(row.draining_at).pipe(
    Option.flatMap((text) => DateTime.make(String(text))),
    Option.map(DateTime.toUtc)
  )
})

const runnerIdOf = idReader(RunnerId)

const toOpen = (row: Row): OpenRunner => ({
  runnerId: runnerIdOf(row.runner_id),
  host: String(row.host),
  pid: Number(row.pid),
  processMark: Option.map(Option.fromNullable(row.process_mark), String),
  mode: modeOf(row),
  lockPath: String(row.lock_path)
})

export const make = (sqlite: Sqlite["Type"]): Runners => ({
  begin: traced("Runners.begin")((runner, stamp) =>
    sqlite
      .transact(
        "Runners.begin",
        sqlite.rows(BEGIN, {
          ...runner,
          processMark: orNull(runner.processMark),
          limits: json(runner.limits),
          at: time(stamp.at)
        })
      )
      .pipe(Effect.asVoid)
  ),
  find: traced("Runners.find")((id) =>
    Effect.map(sqlite.rows(FIND, { id }), (rows) => Option.map(Option.fromNullable(rows[0]), toState))
  ),
  drains: traced("Runners.drains")((id, stamp) =>
    sqlite.transact("Runners.drains", sqlite.rows(DRAINS, { id, at: time(stamp.at) })).pipe(Effect.asVoid)
  ),
  end: traced("Runners.end")((id, stamp) =>
    sqlite.transact("Runners.end", sqlite.rows(END, { id, at: time(stamp.at) })).pipe(Effect.asVoid)
  ),
  open: Effect.map(sqlite.rows(OPEN), (rows) => rows.map(toOpen)),
  endDead: traced("Runners.endDead")((ids, stamp) =>
    sqlite.write("Runners.endDead", (writing) =>
      ids.reduce((count, id) => count + writing.changed(END, { id, at: time(stamp.at) }), 0)
    )
  )
})
