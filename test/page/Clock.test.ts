import { expect, test } from "bun:test"
import { aheadAfter } from "../../src/page/Clock.ts"

const HOUR_MS = 3_600_000
const noon = Date.parse("2026-04-29T12:00:00.000Z")

/** An answer whose Date is noon, to a browser whose clock is so far behind, and how long it was on its way. */
const heard = (behind: number, took = 20) => ({
  date: noon,
  asked: noon - behind,
  came: noon - behind + took
})

test("how far the server's clock is ahead is taken from an answer, to about a second", () => {
  expect(Math.abs(aheadAfter(0, heard(3 * HOUR_MS)) - 3 * HOUR_MS)).toBeLessThan(1_000)
  expect(Math.abs(aheadAfter(0, heard(-3 * HOUR_MS)) + 3 * HOUR_MS)).toBeLessThan(1_000)
})

test("a clock that is off by less than two seconds is taken as right", () => {
  for (const behind of [-1_900, -900, 0, 900, 1_900]) expect(aheadAfter(0, heard(behind))).toBe(0)
})

test("what is known stays while answers fit it, and goes when the clock was set right", () => {
  const ahead = aheadAfter(0, heard(HOUR_MS))
  for (const off of [-1_500, 0, 1_500]) expect(aheadAfter(ahead, heard(HOUR_MS + off))).toBe(ahead)
  expect(aheadAfter(ahead, heard(0))).toBe(0)
})

test("an answer that was long on its way moves no clock, nor does one without a time", () => {
  expect(aheadAfter(0, heard(60_000, 120_000))).toBe(0)
  expect(aheadAfter(5_000, { date: Number.NaN, asked: 0, came: 0 })).toBe(5_000)
})
