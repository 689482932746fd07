import type { Task } from "./Wire.ts"

/** A column of a chart: what it stands for and its parts from the bottom. */
export interface Column {
  readonly label: string
  readonly parts: ReadonlyArray<number>
}

const HOUR_MS = 3_600_000

/** The value below which a share of the values lies; none of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number | undefined => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]
}

const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) * HOUR_MS

/** The hours before now, oldest first. */
export const hoursBefore = (now: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, at) => hourOf(now) - (count - 1 - at) * HOUR_MS)

const endedIn = (tasks: ReadonlyArray<Task>, hour: number): ReadonlyArray<Task> =>
  tasks.filter(({ finished_at }) => finished_at !== null && hourOf(Date.parse(finished_at)) === hour)

/** Tasks that ended in each hour: completed, and those that ended otherwise. */
export const throughput = (
  tasks: ReadonlyArray<Task>,
  hours: ReadonlyArray<number>,
  label: (hour: number) => string
): ReadonlyArray<Column> =>
  hours.map((hour) => {
    const ended = endedIn(tasks, hour)
    const well = ended.filter(({ status }) => status === "completed").length
    return { label: label(hour), parts: [well, ended.length - well] }
  })

/** How long the tasks of each hour took: the median, and what the slowest twentieth took more. */
export const durations = (
  tasks: ReadonlyArray<Task>,
  hours: ReadonlyArray<number>,
  label: (hour: number) => string
): ReadonlyArray<Column> =>
  hours.map((hour) => {
    const took = endedIn(tasks, hour).flatMap(({ finished_at, started_at }) =>
      started_at === null || finished_at === null ? [] : [Date.parse(finished_at) - Date.parse(started_at)]
    )
    const median = quantile(took, 0.5) ?? 0
    return { label: label(hour), parts: [median, (quantile(took, 0.95) ?? 0) - median] }
  })

/** A round figure that is not below the greatest value: the top of a scale. */
export const topOf = (greatest: number): number => {
  if (greatest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(greatest))
  return ([1, 2, 5, 10].find((step) => step * power >= greatest) ?? 10) * power
}
