import { describe, expect, test } from "bun:test"
import { cronWords } from "../../src/page/CronWords.ts"

describe("a cron expression is told", () => {
  const told: ReadonlyArray<readonly [cron: string, words: string]> = [
    ["* * * * *", "every minute"],
    ["*/15 * * * *", "every 15 m"],
    ["5 * * * *", "each hour at :05"],
    ["30 8 * * *", "each day at 08:30"],
    ["0 7 * * 1-5", "Mon to Fri at 07:00"],
    ["0 7 * * 1,4", "Mon, Thu at 07:00"],
    ["0 7 * * 7", "Sun at 07:00"],
    ["0 0 1 * *", "on day 1 of each month at 00:00"]
  ]
  for (const [cron, words] of told) test(cron, () => expect(cronWords(cron)).toBe(words))
})

describe("what says more than fits into a few words is left as it is", () => {
  for (const cron of ["*/7 * * * *", "0 9-17 * * *", "0 7 1 * 1", "0 7 * 6 *", "0 7 * * MON", "x", ""])
    test(cron === "" ? "nothing" : cron, () => expect(cronWords(cron)).toBeUndefined())
})
