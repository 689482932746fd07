import { DateTime, Effect, Option } from "effect"
import { traced } from "../../src/domain/Traced.ts"
import type { AttemptFigures, UsageOfDay, UsageSums } from "../../src/store/Usage.ts"
import { time } from "./columns.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement, type Value } from "./statement.ts"

const SINCE = statement(`
  SELECT day, adapter_id, sum(attempts) AS attempts, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cached_tokens) AS cached_tokens, sum(cost_usd) AS cost_usd
  FROM usage WHERE day >= :day GROUP BY day, adapter_id ORDER BY day DESC, adapter_id`)
// Descending by its index, which ends with LIMIT.
const ATTEMPTS = statement(`
  SELECT adapter_id, started_at, ended_at,
    exit_status = 'ok' AND substr(reason, 1, 10) = 'completed:' AS is_ok,
    CASE WHEN json_valid(usage_json) THEN usage_json ->> '$.input_tokens' END AS input_tokens,
    CASE WHEN json_valid(usage_json) THEN usage_json ->> '$.output_tokens' END AS output_tokens
  FROM attempts_by_start WHERE adapter_id = :adapterId AND started_at >= :since ORDER BY started_at DESC LIMIT :most`)

const timeOf = (value: Value | undefined) => Option.map(DateTime.make(String(value)), DateTime.toUtc)

const amount = (value: Value | undefined): number => (typeof value === "number" && value > 0 ? value : 0)

// An attempt whose time cannot be read belongs to no hour.
const toFigures = (row: Row): Option.Option<AttemptFigures> =>
  Option.map(timeOf(row.started_at), (startedAt) => ({
    adapterId: String(row.adapter_id),
    startedAt,
    endedAt: timeOf(row.ended_at),
    isOk: row.is_ok === 1,
    inputTokens: amount(row.input_tokens),
    outputTokens: amount(row.output_tokens)
  }))

const toSum = (row: Row): UsageOfDay => ({
  day: String(row.day),
  adapterId: String(row.adapter_id),
  attempts: Number(row.attempts),
  inputTokens: Number(row.input_tokens),
  outputTokens: Number(row.output_tokens),
  cachedTokens: Number(row.cached_tokens),
  costUsd: Number(row.cost_usd)
})

export const make = (sqlite: Sqlite["Type"]): UsageSums => ({
  since: traced("Usage.since")((since) =>
    Effect.map(sqlite.rows(SINCE, { day: time(since).slice(0, 10) }), (rows) => rows.map(toSum))
  ),
  attempts: traced("Usage.attempts")((adapterIds, since, most) =>
    Effect.map(
      Effect.forEach(adapterIds, (adapterId) =>
        sqlite.rows(ATTEMPTS, { adapterId, since: time(since), most })
      ),
      (found) => found.flat().flatMap((row) => Option.toArray(toFigures(row)))
    )
  )
})
