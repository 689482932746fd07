import { type Column, tokensOf } from "./Figures.ts"
import type { DayUse } from "./Wire.ts"
import { counted, usd } from "./Words.ts"

const DAY_MS = 86_400_000
/** So few days are drawn at least: a single bar is no course of things. */
const LEAST_DAYS = 7

/** The day of a moment in UTC, as usage is counted. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Every day from the first of which something was used to that of `now`, those without use too. */
export const daysUntil = (usage: ReadonlyArray<DayUse>, now: number): ReadonlyArray<string> => {
  const last = Date.parse(dayOf(now))
  const first = Math.min(
    last - (LEAST_DAYS - 1) * DAY_MS,
    ...usage.map(({ day }) => Date.parse(day)).filter(Number.isFinite)
  )
  return Array.from({ length: (last - first) / DAY_MS + 1 }, (_, at) => dayOf(first + at * DAY_MS))
}

/** Tokens a day: put in, and put out. */
export const tokenColumns = (
  usage: ReadonlyArray<DayUse>,
  days: ReadonlyArray<string>
): ReadonlyArray<Column> =>
  days.map((day) => {
    const of = usage.filter((one) => one.day === day)
    return {
      label: day.slice(5),
      parts: [
        of.reduce((sum, one) => sum + (one.input_tokens ?? 0), 0),
        of.reduce((sum, one) => sum + (one.output_tokens ?? 0), 0)
      ]
    }
  })

/** What a day's use can be measured by: its size, and a size in words. */
export const MEASURES = {
  tokens: { of: tokensOf, words: (value: number) => `${counted(value)} tokens` },
  attempts: {
    of: ({ attempts }: DayUse) => attempts,
    words: (value: number) => `${counted(value)} ${value === 1 ? "attempt" : "attempts"}`
  },
  cost: { of: ({ cost_usd }: DayUse) => cost_usd ?? 0, words: usd }
} as const

export type Measure = keyof typeof MEASURES

/** The measure of that name; of no name the first one by which anything was used. */
export const measureOf = (name: string | undefined, usage: ReadonlyArray<DayUse>): Measure =>
  name !== undefined && Object.hasOwn(MEASURES, name)
    ? (name as Measure)
    : usage.some((one) => tokensOf(one) > 0)
      ? "tokens"
      : "attempts"

/** What one adapter used day by day, and together. */
export interface AdapterDays {
  readonly adapter: string
  readonly values: ReadonlyArray<number>
  readonly sum: number
}

/** What each adapter used on each of these days, the one that used most first. */
export const byAdapter = (
  usage: ReadonlyArray<DayUse>,
  days: ReadonlyArray<string>,
  measure: Measure
): ReadonlyArray<AdapterDays> =>
  [...new Set(usage.map(({ adapter_id }) => adapter_id))]
    .map((adapter) => {
      const values = days.map((day) =>
        usage
          .filter((one) => one.adapter_id === adapter && one.day === day)
          .reduce((sum, one) => sum + MEASURES[measure].of(one), 0)
      )
      return { adapter, values, sum: values.reduce((a, b) => a + b, 0) }
    })
    .sort((a, b) => b.sum - a.sum || (a.adapter < b.adapter ? -1 : 1))
