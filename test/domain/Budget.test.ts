import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { hasRoom, spentBy } from "../../src/domain/Budget.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"

const balance = (spent: number, reserved = 0, granted = 0) => ({ spent, reserved, granted })

describe("an account has room", () => {
  test("for what fits beside all that was spent and set aside", () => {
    expect(hasRoom(balance(6, 2), 10, 2)).toBe(true)
    expect(hasRoom(balance(6, 2), 10, 2.1)).toBe(false)
    expect(hasRoom(balance(6, 2, 1), 10, 2.1)).toBe(true)
  })

  test("for sums of fractions that miss their total by a hair", () => {
    expect(hasRoom(balance(0, 0.1 + 0.2), 0.4, 0.1)).toBe(true)
    expect(hasRoom(balance(0.1 + 0.1 + 0.1), 0.3, 0)).toBe(false)
  })

  test("for nothing more once all is spent, not even for what sets nothing aside", () => {
    expect(hasRoom(balance(9), 10, 0)).toBe(true)
    expect(hasRoom(balance(10), 10, 0)).toBe(false)
    expect(hasRoom(balance(0), 0, 0)).toBe(false)
    expect(hasRoom(balance(0, 0, 1), 0, 1)).toBe(true)
  })
})

describe("an attempt used up", () => {
  const usage = { ...unknownUsage, inputTokens: Option.some(70), costUsd: Option.some(0.25) }
  const told = { usage, started: true, untold: false }
  const silent = { ...told, usage: unknownUsage }

  test("what it told, in and out", () => {
    expect(spentBy("usd", 1, told)).toBe(0.25)
    expect(spentBy("tokens", 1, told)).toBe(70)
    const both = { ...told, usage: { ...usage, outputTokens: Option.some(7), cachedTokens: Option.some(5) } }
    expect(spentBy("tokens", 1, both)).toBe(77)
    expect(spentBy("attempts", 1, told)).toBe(1)
  })

  test("all that was set aside when it was cut off before it could tell, else nothing", () => {
    expect(spentBy("usd", 0.5, { ...silent, untold: true })).toBe(0.5)
    expect(spentBy("usd", 0.5, { ...told, untold: true })).toBe(0.25)
    expect(spentBy("usd", 0.5, silent)).toBe(0)
    expect(spentBy("usd", 0.5, { ...silent, usage: { ...usage, costUsd: Option.some(Number.NaN) } })).toBe(0)
  })

  test("nothing when its adapter was never started", () => {
    expect(spentBy("attempts", 1, { ...told, started: false })).toBe(0)
    expect(spentBy("usd", 1, { ...silent, started: false, untold: true })).toBe(0)
  })
})
