import { Cron, DateTime, Option } from "effect"

/** A cron and the zone by whose clock it runs. */
export interface CronTiming {
  readonly cron: Cron.Cron
  readonly zone: DateTime.TimeZone
}

/** What a zone's clock is ahead of UTC at a time, in milliseconds. */
export const offsetAt = (zone: DateTime.TimeZone, at: DateTime.Utc): number =>
  DateTime.zonedOffset(DateTime.setZone(at, zone))

/** A cron of every hour: its due times come by the clock of any offset. */
export const isEveryHour = ({ hours }: Cron.Cron): boolean => hours.size === 0 || hours.size === 24

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** No zone's clock is changed and changed back within so long. */
const MONTH = 28 * DAY
/** Looked so far ahead for whether the clock is changed, first of all; in the end at the due time itself. */
const AHEAD = [7 * DAY, DAY, HOUR, 0]

/** How the due times of a cron are gone through, one after the other. */
export interface Steps {
  /** The first due time after a time, as `next` has it. */
  readonly after: (at: DateTime.Utc) => Option.Option<DateTime.Utc>
  /** How many of the steps were slow ones. */
  readonly slow: () => number
}

/**
 * Goes through the due times of a cron, thirty times as quickly as by `next`, which asks the zone at each look for
 * what its clock shows: between two changes of the clock a due time is sought by the offset that holds there. Only near
 * a change `next` is asked.
 */
export const makeSteps = (
  { cron, zone }: CronTiming,
  next: (at: DateTime.Utc) => Option.Option<DateTime.Utc>
): Steps => {
  const offset = (millis: number) => offsetAt(zone, DateTime.unsafeMake(millis))
  let slow = 0
  let stretch: { readonly offset: number; readonly cron: Cron.Cron; until: number } | undefined

  /** Whether neither what a change of the clock skipped nor what it repeats lies behind a time. */
  const isPlain = (at: number, present: number): boolean => {
    const change = present - offset(at - DAY)
    if (change === 0) return true
    // All of its hours are alike: those that come twice, and the one that stands for one that was skipped.
    if (isEveryHour(cron) && change % HOUR === 0) return true
    return offset(at - Math.abs(change)) === present
  }

  const stretchAt = (at: number) => {
    if (stretch !== undefined && at <= stretch.until) return stretch
    const present = offset(at)
    if (!isPlain(at, present)) return undefined
    if (stretch?.offset !== present) {
      const steady = Cron.make({ ...cron, tz: DateTime.zoneMakeOffset(present) })
      stretch = { offset: present, cron: steady, until: at }
    }
    stretch.until = at
    return stretch
  }

  const quick = (at: number): number | undefined => {
    const inside = stretchAt(at)
    if (inside === undefined) return undefined
    const found = Cron.next(inside.cron, new Date(at)).getTime()
    if (found <= inside.until) return found
    if (found - at > MONTH) return undefined
    const steadyUntil = AHEAD.map((ahead) => Math.max(found, at + ahead)).find(
      (end) => offset(end) === inside.offset
    )
    if (steadyUntil === undefined) return undefined
    inside.until = steadyUntil
    return found
  }

  return {
    after: (at) => {
      const found = quick(DateTime.toEpochMillis(at))
      if (found !== undefined) return Option.some(DateTime.unsafeMake(found))
      slow++
      return next(at)
    },
    slow: () => slow
  }
}
