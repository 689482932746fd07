import { expect, test } from "bun:test"
import { DateTime, Option } from "effect"
import { durationOf } from "../../src/domain/Attempt.ts"

const at = (seconds: number) => DateTime.unsafeMake(Date.UTC(2026, 0, 1, 0, 0, seconds))

test("an attempt took no less than no time, also where the host's clock was set back meanwhile", () => {
  const took = (seconds: number) => durationOf({ startedAt: at(10), endedAt: Option.some(at(seconds)) })
  expect([took(12), took(4)]).toEqual([Option.some(2_000), Option.some(0)])
  expect(durationOf({ startedAt: at(10), endedAt: Option.none() })).toEqual(Option.none())
})
