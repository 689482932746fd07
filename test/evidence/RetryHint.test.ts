import { describe, expect, test } from "bun:test"
import { FastCheck, Option } from "effect"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { type HintService, retryHint } from "../../src/evidence/RetryHint.ts"
import { synthetic } from "../../src/evidence/Verdict.ts"
import { growsLinearly } from "../support/growth.ts"

const inText = (hintText: string, service: HintService | undefined = "generic") =>
  Option.getOrUndefined(
    retryHint(Option.none(), { retryAfterSeconds: Option.none(), hintText }, Option.fromNullable(service))
  )?.seconds
const structured = (outcomeSeconds?: number, adapterSeconds?: number) => {
  const outcome: Outcome = {
    ...synthetic("blocked", "x"),
    ...(outcomeSeconds === undefined ? {} : { retryAfterSeconds: outcomeSeconds })
  }
  const execution = {
    retryAfterSeconds: Option.fromNullable(adapterSeconds),
    hintText: "try again in 7 seconds"
  }
  return Option.getOrUndefined(retryHint(Option.some(outcome), execution, Option.none()))
}

describe("words that ask to wait", () => {
  test.each([
    ["Please check in again in 305 seconds.", 305],
    ["check in again after 1 second", 1],
    ["TRY AGAIN IN 12 Seconds", 12],
    ["try again after 12 s", 12],
    ["retry in\n 1.2 seconds", 2],
    ["retry after 9 secs", 9],
    ["Retry-After: 120\nDate: today", 120],
    ["retry-after:7", 7],
    ['{"retry-after": "30"}', 30],
    ['{"retry_after": 30}', 30],
    ["wait 45 seconds before the next call", 45],
    ["try again in 999999999999 seconds", 86_400],
    [`try again in ${"9".repeat(500)} seconds`, 86_400],
    ["retry in 1 seconds ... retry in 2 seconds", 2],
    ["try again in 0 seconds", 1],
    ["Retry-After: 0", 1]
  ])("%j asks for %d s", (text, seconds) => {
    expect(inText(text)).toBe(seconds)
  })

  test.each([
    "",
    "done in 30 seconds",
    "try again later",
    "try again in 5 minutes",
    "try again in -5 seconds",
    "try again in ٣ seconds",
    "try again in 1e9 seconds",
    "retrying in 5 seconds",
    "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",
    "Retry-After: 2026-10-21",
    "Retry-After: -1",
    "retry-after: 5 minutes",
    "wait 45 seconds",
    "try again in NaN seconds"
  ])("%j asks for nothing", (text) => {
    expect(inText(text)).toBeUndefined()
  })

  test("are read only where the adapter names a service", () => {
    expect(
      retryHint(
        Option.none(),
        { retryAfterSeconds: Option.none(), hintText: "try again in 5 seconds" },
        Option.none()
      )
    ).toEqual(Option.none())
  })

  test.each(["aibtc", "hiro"] as const)("of %s count only beside a rate limit", (service) => {
    const words = "try again in 5 seconds"
    expect(inText(words, service)).toBeUndefined()
    for (const beside of ["Rate limit hit.", "rate-limited", "Too Many Requests", "HTTP 429"]) {
      expect(inText(`${beside} ${words}`, service)).toBe(5)
      expect(inText(`${words} ${beside}`, service)).toBe(5)
      expect(inText(`${beside}${" far".repeat(1000)} ${words}`, service)).toBeUndefined()
    }
    expect(inText(`order 4290 ${words}`, service)).toBeUndefined()
  })
})

test("the outcome's field comes before the adapter's, and both need no service", () => {
  expect(structured(20, 30)).toEqual({ seconds: 20, from: "outcome" })
  expect(structured(undefined, 30)).toEqual({ seconds: 30, from: "adapter" })
  expect(structured()).toBeUndefined()
})

test.each([
  [Number.NaN, undefined],
  [-1, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [0.1, 1],
  [1e300, 86_400]
])("a structured %d is a wait of %p s", (given, seconds) => {
  expect(structured(undefined, given)?.seconds).toBe(seconds as never)
  expect(structured(given)?.seconds).toBe(seconds as never)
})

test("a zero is a wait of a second where a server asks for it, and nothing where an outcome has it", () => {
  expect(structured(undefined, 0)).toEqual({ seconds: 1, from: "adapter" })
  expect(structured(0)).toBeUndefined()
  expect(structured(0, 30)).toEqual({ seconds: 30, from: "adapter" })
})

test("a hint in any text is a whole number of seconds of at most a day", () => {
  const piece = FastCheck.constantFrom(
    "try again in ",
    "retry after ",
    "retry-after: ",
    "wait ",
    " seconds",
    " before",
    "429 ",
    "-",
    ".",
    " "
  )
  FastCheck.assert(
    FastCheck.property(
      FastCheck.array(FastCheck.oneof(piece, FastCheck.double().map(String), FastCheck.string())),
      (pieces) => {
        const seconds = inText(pieces.join(""))
        if (seconds === undefined) return
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeGreaterThanOrEqual(1)
        expect(seconds).toBeLessThanOrEqual(86_400)
      }
    ),
    { numRuns: 1_000 }
  )
})

test("hostile text takes no more than linear time", () =>
  growsLinearly((share) => {
    for (const piece of [
      "retry",
      "retry ",
      "retry in ",
      "try again in 1",
      "wait 1 ",
      "1",
      " ",
      "retry in 1 seconds "
    ])
      inText(piece.repeat((1_000_000 * share) / piece.length), "aibtc")
    inText(`retry${" ".repeat(60_000 * share)}`)
    inText(`retry in ${"1".repeat(60_000 * share)}`)
  }))
