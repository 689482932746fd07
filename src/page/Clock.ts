import { type Cell, cell } from "./Cell.ts"

/** What an answer tells of the server's clock (ms): its Date, and when it was asked for and came, by that of the browser. */
export interface Heard {
  readonly date: number
  readonly asked: number
  readonly came: number
}

/** A clock that is less off is taken as right: an answer tells the time to the second, so that nothing flickers. */
const SLACK_MS = 2_000

/**
 * By how much the server's clock is ahead of the browser's (ms), after an answer: as before where that fits what it
 * tells, however long it took.
 */
export const aheadAfter = (ahead: number, { asked, came, date }: Heard): number => {
  const least = date - came
  const most = date + 999 - asked
  if (Number.isNaN(date) || (ahead >= least - SLACK_MS && ahead <= most + SLACK_MS)) return ahead
  const found = Math.round((least + most) / 2)
  return Math.abs(found) <= SLACK_MS ? 0 : found
}

/** The time of the server: what it tells is measured by its clock, whatever that of the browser says. */
export interface Clock {
  /** The time when it was last told (ms). */
  readonly now: Cell<number>
  /** Tells the time. */
  readonly tick: () => void
  /** The time at this moment (ms). */
  readonly exact: () => number
  /** Learns from an answer what the server's clock says. */
  readonly hear: (heard: Heard) => void
}

/** A clock that is right as soon as the first answer came. */
export const makeClock = (): Clock => {
  let ahead = 0
  const exact = () => Date.now() + ahead
  const now = cell(exact())
  const tick = () => now.set(exact())
  return {
    now,
    tick,
    exact,
    hear: (heard) => {
      const next = aheadAfter(ahead, heard)
      if (next === ahead) return
      ahead = next
      tick()
    }
  }
}
