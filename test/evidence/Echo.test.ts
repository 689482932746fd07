import { describe, expect, test } from "bun:test"
import { FastCheck, Option } from "effect"
import { echoOf } from "../../src/evidence/Echo.ts"
import { growsLinearly } from "../support/growth.ts"

const letters = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => String.fromCharCode(0x4e00 + ((from + n * 7919) % 20_000))).join("")

describe("a stretch of the prompt in a summary", () => {
  const prompt = letters(5_000)
  test.each([0, 1, 39, 40, 41, 79, 80, 2_345, 4_920])("is found at character %d of the prompt", (at) => {
    const stretch = prompt.slice(at, at + 80)
    expect(echoOf(`before ${stretch} after`, prompt)).toEqual(Option.some(stretch))
    expect(echoOf(stretch, prompt)).toEqual(Option.some(stretch))
  })

  test("of 79 characters is none", () => {
    for (let at = 0; at < 200; at++)
      expect(echoOf(`x${prompt.slice(at, at + 79)}x`, prompt)).toEqual(Option.none())
  })
})

test("agrees with a search for every stretch", () => {
  const text = FastCheck.array(FastCheck.constantFrom("ab".repeat(20), "a".repeat(37), "c", "dd", "ab"), {
    maxLength: 12
  })
  FastCheck.assert(
    FastCheck.property(text, text, (one, other) => {
      const [summary, prompt] = [one.join(""), other.join("")]
      let expected = false
      for (let at = 0; at + 80 <= summary.length; at++)
        expected ||= prompt.includes(summary.slice(at, at + 80))
      expect(Option.isSome(echoOf(summary, prompt))).toBe(expected)
    }),
    { numRuns: 1_000 }
  )
})

test("long texts that nearly agree take no more than linear time", () =>
  growsLinearly((share) => {
    const piece = `${"a".repeat(41)}b`
    echoOf(
      "a"
        .repeat(79)
        .concat("c")
        .repeat(1_250 * share),
      piece.repeat(3_000 * share)
    )
    echoOf(letters(120_000 * share), letters(120_000 * share, 5))
    echoOf(`${"ab".repeat(39)}c`.repeat(1_500 * share), `${"ab".repeat(39)}d`.repeat(1_500 * share))
  }))
