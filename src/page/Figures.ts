import type { AttemptDay, AttemptHour, AttemptSums, DayUse } from "./Wire.ts"
import { counted, plural, usd } from "./Words.ts"

/** A column of a chart: what it stands for and its parts from the bottom. */
export interface Column {
  readonly label: string
  readonly parts: ReadonlyArray<number>
}

const HOUR_MS = 3_600_000

/** The hours from one on, as many as are wanted, each by when it begins. */
const hoursFrom = (since: string, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, at) => Date.parse(since) + at * HOUR_MS)

/** The 24 hours of a day of attempts as columns; an hour in which none began is empty. */
export const hourly = (
  since: string,
  hours: ReadonlyArray<AttemptHour>,
  label: (hour: number) => string,
  parts: (sums: AttemptSums) => ReadonlyArray<number>
): ReadonlyArray<Column> => {
  const known = new Map(hours.map((one) => [Date.parse(one.hour), one]))
  return hoursFrom(since, 24).map((hour) => {
    const sums = known.get(hour)
    return { label: label(hour), parts: sums === undefined ? [] : parts(sums) }
  })
}

/** Attempts by how they went: done, ended otherwise, running. */
export const byEnd = ({ attempts, ok, running }: AttemptSums): ReadonlyArray<number> => [
  ok,
  attempts - ok - running,
  running
]

/** How long attempts took: the median, and what the slowest twentieth took more. */
export const byDuration = ({ median_ms, p95_ms }: AttemptSums): ReadonlyArray<number> => {
  const median = median_ms ?? 0
  return [median, Math.max(0, (p95_ms ?? 0) - median)]
}

/** Tokens that were put in, and put out. */
export const byTokens = ({ input_tokens, output_tokens }: AttemptSums): ReadonlyArray<number> => [
  input_tokens,
  output_tokens
]

/** The tokens that a day's attempts of an adapter told. */
export const tokensOf = ({ input_tokens, output_tokens }: DayUse): number =>
  (input_tokens ?? 0) + (output_tokens ?? 0)

/** What was used together; what no adapter told is said to be untold, not nothing. */
export const toldWords = (used: ReadonlyArray<DayUse>): string => {
  const sum = (of: (one: DayUse) => number): number => used.reduce((all, one) => all + of(one), 0)
  const cost = sum(({ cost_usd }) => cost_usd ?? 0)
  const tokens = sum(tokensOf)
  return [
    plural(
      sum(({ attempts }) => attempts),
      "attempt"
    ),
    tokens === 0 ? "tokens not told" : `${counted(tokens)} tokens`,
    cost === 0 ? "cost not told" : `${usd(cost)} as far as it was told`
  ].join(", ")
}

/** Whether more attempts used something today than are still recorded of the last day: some were pruned. */
export const isThinned = (
  today: ReadonlyArray<Pick<DayUse, "attempts">>,
  recorded: Pick<AttemptDay, "attempts" | "partial">
): boolean => !recorded.partial && today.reduce((sum, { attempts }) => sum + attempts, 0) > recorded.attempts

/** A round figure that is not below the greatest value: the top of a scale. */
export const topOf = (greatest: number): number => {
  if (greatest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(greatest))
  return ([1, 2, 5, 10].find((step) => step * power >= greatest) ?? 10) * power
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

/** Tops of scales of time of which the half is round as well. */
const TIMES = [
  ...[1, 2, 4, 10, 20, 60].map((of) => of * SECOND_MS),
  ...[2, 4, 10, 20, 60].map((of) => of * MINUTE_MS),
  ...[2, 4, 8, 12, 24].map((of) => of * HOUR_MS)
]

/** A round stretch of time that is not below the greatest one (ms). */
export const topOfTime = (greatest: number): number =>
  TIMES.find((top) => top >= greatest) ?? topOf(greatest / HOUR_MS) * HOUR_MS
