import { expect, test } from "bun:test"
import {
  byDuration,
  byEnd,
  byTokens,
  hourly,
  isThinned,
  toldWords,
  topOf,
  topOfTime
} from "../../src/page/Figures.ts"
import type { AttemptSums, DayUse } from "../../src/page/Wire.ts"

const SUMS: AttemptSums = {
  attempts: 7,
  running: 1,
  ok: 4,
  median_ms: 4_000,
  p95_ms: 60_000,
  input_tokens: 900,
  output_tokens: 30
}
const NONE: AttemptSums = { ...SUMS, attempts: 1, running: 1, ok: 0, median_ms: null, p95_ms: null }

const label = (hour: number) => new Date(hour).toISOString().slice(11, 16)

test("a day has 24 hours from its beginning, those without an attempt too", () => {
  const hours = [
    { ...SUMS, hour: "2026-04-28T13:00:00.000Z" },
    { ...NONE, hour: "2026-04-29T12:00:00.000Z" }
  ]
  const columns = hourly("2026-04-28T13:00:00.000Z", hours, label, byEnd)
  expect(columns).toHaveLength(24)
  expect(columns[0]).toEqual({ label: "13:00", parts: [4, 2, 1] })
  expect(columns[1]).toEqual({ label: "14:00", parts: [] })
  expect(columns[23]).toEqual({ label: "12:00", parts: [0, 0, 1] })
})

test("durations are told by their median and by what the slowest took beyond it", () => {
  expect([byDuration(SUMS), byDuration(NONE), byTokens(SUMS)]).toEqual([
    [4_000, 56_000],
    [0, 0],
    [900, 30]
  ])
})

test("a scale ends at a round figure that is not below what it shows", () => {
  expect([0, 1, 3, 12, 99, 100, 101].map(topOf)).toEqual([1, 1, 5, 20, 100, 100, 200])
})

test("a scale of time ends at a round one, and its half is round", () => {
  const tops = [0, 999, 1_001, 61_000, 300_000, 3_600_001, 90_000_000].map(topOfTime)
  expect(tops).toEqual([1_000, 1_000, 2_000, 120_000, 600_000, 7_200_000, 180_000_000])
})

test("that attempts of today were pruned is known by what they used", () => {
  const used = [{ attempts: 2_000 }, { attempts: 997 }]
  expect(isThinned(used, { attempts: 450, partial: false })).toBe(true)
  expect(isThinned(used, { attempts: 2_997, partial: false })).toBe(false)
  // Where not all are read, it is said already.
  expect(isThinned(used, { attempts: 450, partial: true })).toBe(false)
  expect(isThinned([], { attempts: 0, partial: false })).toBe(false)
})

test("what no adapter told is said to be untold, not to be nothing", () => {
  const use: DayUse = {
    day: "2026-04-28",
    adapter_id: "script",
    attempts: 2,
    input_tokens: null,
    output_tokens: null,
    cached_tokens: null,
    cost_usd: null
  }
  expect(toldWords([use])).toBe("2 attempts, tokens not told, cost not told")
  const told = {
    ...use,
    adapter_id: "model",
    attempts: 1,
    input_tokens: 1_200,
    output_tokens: 34,
    cost_usd: 0.5
  }
  expect(toldWords([use, told])).toBe("3 attempts, 1,234 tokens, $0.500 as far as it was told")
})
