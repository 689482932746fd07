import { Effect } from "effect"
import type { UsageOfDay, UsageSums } from "../../src/store/Usage.ts"
import { time } from "./columns.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const SINCE = statement(`
  SELECT day, adapter_id, sum(attempts) AS attempts, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cached_tokens) AS cached_tokens, sum(cost_usd) AS cost_usd
  FROM usage WHERE day >= :day GROUP BY day, adapter_id ORDER BY day DESC, adapter_id`)

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
  since: Effect.fn("Usage.since")((since) =>
    Effect.map(sqlite.rows(SINCE, { day: time(since).slice(0, 10) }), (rows) => rows.map(toSum))
  )
})
