import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { DateTime, Either, Option } from "effect"
import { cronTiming, nextAfter } from "../../src/schedule/Recurrence.ts"
import { makeSteps } from "../../src/schedule/Steps.ts"

setDefaultTimeout(60_000)

const CRONS = [
  "*/20 * * * *",
  "5 * * * *",
  "30 2 * * *",
  "*/15 1-3 * * *",
  "*/7 0 * * *",
  "40 */2 * * *",
  "0 9 * * 1-5",
  "15 2 25-29 3,10 *",
  "0 0 1 * *"
]

/** Zones, and days some time before their clocks are put forward or back. */
const CHANGES: ReadonlyArray<readonly [zone: string, ...days: ReadonlyArray<string>]> = [
  ["Europe/Zurich", "2026-03-26", "2026-10-22"],
  ["America/St_Johns", "2026-03-05", "2026-10-29"],
  ["Australia/Lord_Howe", "2026-04-02", "2026-10-01"],
  // Only for Ramadan.
  ["Africa/Casablanca", "2026-02-12", "2026-03-19"],
  // A whole day was left out.
  ["Pacific/Apia", "2011-12-27"],
  ["UTC", "2026-03-26"],
  ["-02:30", "2026-03-26"]
]

const timingOf = (expression: string, zone: string) => {
  const timing = Either.getOrThrow(cronTiming(expression, zone, DateTime.unsafeMake("2011-01-01")))
  return timing._tag === "Cron" ? timing : expect.unreachable("a cron is timed as one")
}

describe("the steps through the due times of a cron", () => {
  for (const [zone, ...days] of CHANGES)
    test.each(CRONS)(`come to the same times as one by one in ${zone}: %p`, (expression) => {
      const timing = timingOf(expression, zone)
      for (const day of days) {
        const one = (at: DateTime.Utc) => nextAfter(timing, at)
        const steps = makeSteps(timing, one)
        let at = DateTime.unsafeMake(`${day}T00:17:33.123Z`)
        for (const end = DateTime.add(at, { days: 8 }); DateTime.lessThan(at, end); ) {
          const expected = Option.getOrThrow(one(at))
          expect([at, Option.getOrThrow(steps.after(at))].map(DateTime.formatIso)).toEqual(
            [at, expected].map(DateTime.formatIso)
          )
          at = expected
        }
      }
    })

  test.each([
    ["* * * * *", 0],
    ["* * * * * *", 0],
    ["*/5 * * * *", 0],
    ["30 2 * * *", 120],
    ["* 1-3 * * *", 120]
  ])("are quick ones but near a change of the clock: %p", (expression, most) => {
    const timing = timingOf(expression, "Europe/Zurich")
    const steps = makeSteps(timing, (at) => nextAfter(timing, at))
    let at = DateTime.unsafeMake("2026-10-24T22:00:00Z")
    for (let count = 0; count < 9_000; count++) at = Option.getOrThrow(steps.after(at))
    expect(steps.slow()).toBeLessThanOrEqual(most + 2)
  })
})
