import { expect, test } from "bun:test"
import { byAdapter, daysUntil, measureOf, tokenColumns } from "../../src/page/UsageDays.ts"
import type { DayUse } from "../../src/page/Wire.ts"

const NOW = Date.parse("2026-04-29T12:00:00.000Z")

const use = (day: string, adapter_id: string, attempts: number, tokens: number, cost = 0): DayUse => ({
  day,
  adapter_id,
  attempts,
  input_tokens: tokens,
  output_tokens: 1,
  cached_tokens: 0,
  cost_usd: cost
})

const USAGE = [
  use("2026-04-29", "codex", 2, 100),
  use("2026-04-29", "claude", 1, 40, 0.5),
  use("2026-04-20", "claude", 9, 20, 0.25)
]

test("days without use stand among the others, and there are seven at least", () => {
  const days = daysUntil(USAGE, NOW)
  expect([days.length, days[0], days.at(-1)]).toEqual([10, "2026-04-20", "2026-04-29"])
  expect(daysUntil([], NOW)).toHaveLength(7)
  expect(tokenColumns(USAGE, days).map(({ parts }) => parts)).toEqual([
    [20, 1],
    ...Array.from({ length: 8 }, () => [0, 0]),
    [140, 2]
  ])
})

test("what each adapter used is told day by day, by tokens, attempts or cost, the one that used most first", () => {
  const days = daysUntil(USAGE, NOW)
  const ends = (measure: "tokens" | "attempts" | "cost") =>
    byAdapter(USAGE, days, measure).map(({ adapter, sum, values }) => [adapter, values[0], values[9], sum])
  expect(ends("tokens")).toEqual([
    ["codex", 0, 101, 101],
    ["claude", 21, 41, 62]
  ])
  expect(ends("attempts")).toEqual([
    ["claude", 9, 1, 10],
    ["codex", 0, 2, 2]
  ])
  expect(ends("cost")).toEqual([
    ["claude", 0.25, 0.5, 0.75],
    ["codex", 0, 0, 0]
  ])
})

test("where the address names no measure it is tokens, or attempts where nobody told tokens", () => {
  const untold = USAGE.map((one) => ({ ...one, input_tokens: null, output_tokens: null }))
  expect([
    measureOf(undefined, USAGE),
    measureOf("nonsense", USAGE),
    measureOf(undefined, untold),
    measureOf("cost", untold)
  ]).toEqual(["tokens", "tokens", "attempts", "cost"])
})
