import { expect, test } from "bun:test"
import { slopeOf } from "./Slope.ts"

const series = (of: (second: number) => number) =>
  Array.from({ length: 61 }, (_, second) => ({ second, value: of(second) }))

test("a slope is told a minute and over all, and what rises beyond what is allowed is not flat", () => {
  const leak = slopeOf(
    series((second) => 100 + second),
    59
  )
  expect(leak).toMatchObject({ first: 100, last: 160, most: 160, isFlat: false })
  expect(leak.perMinute).toBeCloseTo(60)
  expect(
    slopeOf(
      series((second) => 100 + second),
      61
    ).isFlat
  ).toBe(true)
})

test("noise, peaks and falling are flat; a leak within noise is not", () => {
  const noise = (second: number) => (second % 7) * 10
  expect(slopeOf(series(noise), 10).isFlat).toBe(true)
  expect(
    slopeOf(
      series((second) => (second === 30 ? 10_000 : 100)),
      10
    ).isFlat
  ).toBe(true)
  expect(
    slopeOf(
      series((second) => 500 - second),
      0
    ).isFlat
  ).toBe(true)
  expect(
    slopeOf(
      series((second) => noise(second) + second * 2),
      50
    ).isFlat
  ).toBe(false)
})

test("too few samples prove nothing", () => {
  expect(slopeOf([], 1).isFlat).toBe(false)
  expect(slopeOf([{ second: 1, value: 1 }], 1).isFlat).toBe(false)
})
