import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { DateTime, Either, FastCheck, Option } from "effect"
import {
  cronTiming,
  evaluate,
  everyTiming,
  MOST_COUNTED,
  nextAfter,
  type Timing
} from "../../src/schedule/Recurrence.ts"
import { isLong } from "../support/breadth.ts"

setDefaultTimeout(60_000)

const time = (text: string) => DateTime.unsafeMake(text)
const START = time("2026-01-01T00:00:00.000Z")
const cron = (expression: string, zone?: string): Timing =>
  Either.getOrThrow(cronTiming(expression, zone, START))

/** The next due times, `count` of them, as the wire writes them. */
const following = (timing: Timing, from: string, count: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  let at = time(from)
  while (found.length < count) {
    at = Option.getOrThrow(nextAfter(timing, at))
    found.push(DateTime.formatIso(at).slice(0, 16))
  }
  return found
}

describe("a cron schedule over the clock changes of Zurich", () => {
  test("at 02:30 runs once a day, in spring when the skipped hour is over", () => {
    const daily = cron("30 2 * * *", "Europe/Zurich")
    expect(following(daily, "2026-03-27T12:00:00Z", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:30",
      "2026-03-30T00:30"
    ])
    expect(following(daily, "2026-10-23T12:00:00Z", 3)).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30"
    ])
  })

  test("at 08:30 stays at 08:30 of the wall clock", () => {
    const daily = cron("30 8 * * *", "Europe/Zurich")
    expect(following(daily, "2026-03-28T00:00:00Z", 2)).toEqual(["2026-03-28T07:30", "2026-03-29T06:30"])
    expect(following(daily, "2026-10-24T00:00:00Z", 2)).toEqual(["2026-10-24T06:30", "2026-10-25T07:30"])
  })

  test("every 20 minutes has no hole in the hour that comes twice", () => {
    const often = cron("*/20 * * * *", "Europe/Zurich")
    expect(following(often, "2026-10-25T00:30:00Z", 6)).toEqual([
      "2026-10-25T00:40",
      "2026-10-25T01:00",
      "2026-10-25T01:20",
      "2026-10-25T01:40",
      "2026-10-25T02:00",
      "2026-10-25T02:20"
    ])
  })

  test("every 20 minutes of one hour runs in it once", () => {
    const often = cron("*/20 2 * * *", "Europe/Zurich")
    expect(following(often, "2026-10-24T23:30:00Z", 4)).toEqual([
      "2026-10-25T00:00",
      "2026-10-25T00:20",
      "2026-10-25T00:40",
      "2026-10-26T01:00"
    ])
  })
})

describe("a cron expression is refused", () => {
  test.each([
    ["61 * * * *", undefined],
    ["* * * *", undefined],
    ["@daily", undefined],
    ["0 0 31 2 *", undefined],
    ["* * * * *", "Nowhere/Town"],
    ["* * * * *", "local"],
    ["* * * * *", ""],
    ["", undefined]
  ])("%p in zone %p, by the field that is wrong", (expression, zone) => {
    const fault = Either.flip(cronTiming(expression, zone, START)).pipe(Either.getOrThrow)
    expect(fault.field).toBe(zone === undefined ? "cron" : "timezone")
    expect(fault.problem).not.toBe("")
  })
})

describe("an evaluation", () => {
  test("before the due time is none", () => {
    expect(evaluate(everyTiming(60), time("2026-01-01T00:01:00Z"), START)).toEqual(Option.none())
  })

  test("of an interval that missed five runs is one run, and the next one an interval from now", () => {
    const due = Option.getOrThrow(evaluate(everyTiming(60), START, time("2026-01-01T00:05:30Z")))
    expect(due.missed).toBe(5)
    expect(DateTime.formatIso(due.last)).toBe("2026-01-01T00:05:00.000Z")
    expect(Option.map(due.next, DateTime.formatIso)).toEqual(Option.some("2026-01-01T00:06:30.000Z"))
  })

  test("of a cron that missed runs counts each of them", () => {
    const due = Option.getOrThrow(evaluate(cron("0 * * * *"), START, time("2026-01-01T05:30:00Z")))
    expect(due.missed).toBe(5)
    expect(Option.map(due.next, DateTime.formatIso)).toEqual(Option.some("2026-01-01T06:00:00.000Z"))
  })

  test("of a cron that was away for years counts up to a bound and says so", () => {
    const due = Option.getOrThrow(evaluate(cron("* * * * *"), START, time("2036-01-01T00:00:30Z")))
    expect(due).toMatchObject({ missed: MOST_COUNTED, isExact: false })
    expect(DateTime.formatIso(due.last)).toBe("2036-01-01T00:00:00.000Z")
    expect(Option.map(due.next, DateTime.formatIso)).toEqual(Option.some("2036-01-01T00:01:00.000Z"))
  })

  test("of a cron of every second in the hour after a skipped one counts no further than is quick, and says so", () => {
    const from = time("2026-03-29T00:59:00Z")
    const due = Option.getOrThrow(
      evaluate(cron("* * 1-5 * * *", "Europe/Zurich"), from, time("2026-03-29T01:59:30Z"))
    )
    expect(due.isExact).toBe(false)
    expect(due.missed).toBeLessThan(1_000)
    expect(DateTime.formatIso(due.last)).toBe("2026-03-29T01:59:30.000Z")
  })

  test("at the end of time has no next one", () => {
    const due = evaluate(everyTiming(3_600), START, time("9999-12-31T23:30:00Z"))
    expect(Option.flatMap(due, (one) => one.next)).toEqual(Option.none())
  })
})

test("the missed due times end with the last one before the evaluation, counted or not", () => {
  const timings = ["* * * * * *", "* * * * *", "*/7 1 * * *", "30 2 * * *", "0 0 1 * *"].map((one) =>
    cron(one, "Europe/Zurich")
  )
  FastCheck.assert(
    FastCheck.property(
      FastCheck.constantFrom(...timings),
      FastCheck.integer({ min: 0, max: 40 * 365 * 24 * 3_600 }),
      (timing, seconds) => {
        const at = DateTime.add(START, { seconds })
        const due = Option.getOrThrow(evaluate(timing, START, at))
        expect(DateTime.lessThanOrEqualTo(due.last, at)).toBe(true)
        expect(nextAfter(timing, due.last)).toEqual(due.next)
      }
    ),
    { numRuns: 8 }
  )
})

describe("a next due time", () => {
  const timings = [
    "*/7 * * * *",
    "30 2 * * *",
    "50 1,2,3 * * *",
    "0 0 29 2 *",
    "15 3 1-7 * 1",
    "*/10 * * * * *"
  ].flatMap((expression) =>
    ["Europe/Zurich", "America/St_Johns", "Australia/Lord_Howe"].map((zone) => cron(expression, zone))
  )
  const later = (timing: Timing, at: DateTime.Utc) => {
    const next = Option.getOrThrow(nextAfter(timing, at))
    expect(DateTime.greaterThan(next, at)).toBe(true)
    return next
  }

  test("always lies behind the time that was asked about", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...timings),
        FastCheck.integer({ min: 0, max: 4_000_000_000 }),
        (timing, second) => {
          later(timing, DateTime.unsafeMake(second * 1000))
        }
      )
    )
  })

  test("does so in every minute around a clock change, and never goes back", () => {
    for (const timing of timings)
      for (const day of [
        "2026-03-08",
        "2026-03-29",
        "2026-04-04",
        "2026-10-03",
        "2026-10-25",
        "2026-11-01"
      ]) {
        let before = time(`${day}T00:00:00Z`)
        for (let minute = 0; minute < 24 * 60; minute += isLong ? 3 : 10) {
          const next = later(timing, DateTime.add(time(`${day}T00:00:30Z`), { minutes: minute }))
          expect(DateTime.greaterThanOrEqualTo(next, before)).toBe(true)
          before = next
        }
      }
  })
})

test.each(["GMT", "GMT0", "GMT+0", "GMT-0", "gmt", "Etc/GMT", "Greenwich", "UCT", "Zulu"])(
  "%s is a name of UTC",
  (zone) =>
    expect(Option.getOrThrow(nextAfter(cron("0 7 * * *", zone), START))).toEqual(
      Option.getOrThrow(nextAfter(cron("0 7 * * *", "UTC"), START))
    )
)

test.each([
  ["*/60 * * * *", '"*/60" has a step above 59'],
  ["* */0 * * *", '"*/0" has a step below 1'],
  ["*/x * * * *", '"*/x" has a step that is no integer'],
  ["* * 0 * *", '"0" has a number that is not from 1 to 31'],
  ["* * * foo *", '"foo" has something that is no number'],
  ["* 5-1 * * *", '"5-1" has a range that ends before it begins'],
  ["* *  *", "it has 3 fields"]
])("%p is wrong as %p", (expression, problem) =>
  expect(Either.flip(cronTiming(expression, undefined, START))).toEqual(
    Either.right({ field: "cron", problem })
  )
)
