import { Effect } from "effect"
import type { Runners } from "../../src/store/Runners.ts"
import { json, time } from "./columns.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const BEGIN = statement(`
  INSERT INTO runners (runner_id, host, pid, mode, lock_path, limits_json, started_at)
  VALUES (:runnerId, :host, :pid, :mode, :lockPath, :limits, :at)
  ON CONFLICT (runner_id) DO UPDATE SET mode = excluded.mode, lock_path = excluded.lock_path,
    limits_json = excluded.limits_json, ended_at = NULL`)
const END = statement("UPDATE runners SET ended_at = :at WHERE runner_id = :id AND ended_at IS NULL")
const END_OTHERS = statement(
  "UPDATE runners SET ended_at = :at WHERE ended_at IS NULL AND runner_id <> :mine AND lock_path = :lockPath RETURNING runner_id"
)

export const make = (sqlite: Sqlite["Type"]): Runners => ({
  begin: Effect.fn("Runners.begin")((runner, stamp) =>
    sqlite
      .transact(
        "Runners.begin",
        sqlite.rows(BEGIN, { ...runner, limits: json(runner.limits), at: time(stamp.at) })
      )
      .pipe(Effect.asVoid)
  ),
  end: Effect.fn("Runners.end")((id, stamp) =>
    sqlite.transact("Runners.end", sqlite.rows(END, { id, at: time(stamp.at) })).pipe(Effect.asVoid)
  ),
  endOthers: Effect.fn("Runners.endOthers")((mine, lockPath, stamp) =>
    Effect.map(
      sqlite.transact("Runners.endOthers", sqlite.rows(END_OTHERS, { mine, lockPath, at: time(stamp.at) })),
      (rows) => rows.length
    )
  )
})
