import { expect, test } from "bun:test"
import { partOf } from "../../src/http/Range.ts"

const huge = "9".repeat(400)

test("a range is a part of what there is, whatever its numbers", () => {
  for (const [header, expected] of [
    ["bytes=0-0", { from: 0, length: 1 }],
    ["bytes=4-", { from: 4, length: 7 }],
    ["bytes=-3", { from: 8, length: 3 }],
    [`bytes=0-${huge}`, { from: 0, length: 11 }],
    [`bytes=-${huge}`, { from: 0, length: 11 }],
    [`bytes=${huge}-`, "unsatisfiable"],
    ["bytes=11-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=0-0,2-3", undefined],
    ["lines=0-1", undefined],
    ["bytes=a-b", undefined],
    [undefined, undefined]
  ] as const)
    expect([header, partOf(header, 11)]).toEqual([header, expected])
})
