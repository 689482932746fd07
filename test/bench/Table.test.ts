import { expect, test } from "bun:test"
import { perSecond, quantile, ratio, table } from "./Table.ts"

test("a table has ratios before figures, a reason once for all its cells, and no empty column", () => {
  const notRun = { notRun: "needs Node 22" }
  const drawn = table({ floor: "floor", ours: "ours", peer: "peer 1.0", none: "none" }, [
    {
      measure: "enqueue",
      asked: "0.6",
      cells: {
        floor: { value: perSecond(5_151) },
        ours: { value: "3,657/s", ratio: 0.71 },
        peer: notRun
      }
    },
    { measure: "counts", cells: { ours: { value: "0.1 ms", note: "one read" }, peer: notRun } }
  ])
  expect(drawn).toBe(
    [
      "|         | asked | floor   | ours           | peer 1.0    |",
      "|---------|-------|---------|----------------|-------------|",
      "| enqueue | 0.6   | 5,151/s | 0.71 (3,657/s) | not run [1] |",
      "| counts  |       |         | 0.1 ms [2]     | not run [1] |",
      "",
      "[1] not run: needs Node 22  ",
      "[2] one read"
    ].join("\n")
  )
})

test("there is no ratio to nothing, and a quantile is one of the values", () => {
  expect([ratio(3, 6), ratio(3, 0), ratio(0, 3)]).toEqual([0.5, undefined, undefined])
  expect([quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 0.99)]).toEqual([2, 3])
})
