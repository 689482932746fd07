import { expect, test } from "bun:test"
import { isSameJson, MAX_DEPTH, unsound } from "../../src/domain/Json.ts"

test("the same JSON is told whatever the order of its keys; anything else is other", () => {
  const value = { a: [1, { b: null, c: "x" }], d: true }
  expect(isSameJson(value, { d: true, a: [1, { c: "x", b: null }] })).toBe(true)
  for (const other of [
    { a: [1, { b: null, c: "x" }] },
    { ...value, e: 1 },
    { ...value, a: [{ b: null, c: "x" }, 1] },
    { ...value, a: { 0: 1, 1: { b: null, c: "x" } } },
    { ...value, d: "true" },
    { a: value.a, e: true },
    null,
    "x"
  ])
    expect([other, isSameJson(value, other), isSameJson(other, value)]).toEqual([other, false, false])
})

const nested = (depth: number, value: unknown): unknown => (depth === 0 ? value : [nested(depth - 1, value)])

test("what JSON or UTF-8 cannot hold is named by the way to it", () => {
  const half = "\ud83d"
  const told: ReadonlyArray<readonly [unknown, string | undefined]> = [
    [{ a: [1, { b: Number.NaN }] }, "a[1].b is a number that JSON cannot hold"],
    [[[0, -1 / 0]], "[0][1] is a number that JSON cannot hold"],
    [{ a: { b: [half] } }, "a.b[0] is text with half a surrogate pair, which is not valid Unicode"],
    [{ a: { [half]: 1 } }, "a has a key with half a surrogate pair, which is not valid Unicode"],
    [half, "the value is text with half a surrogate pair, which is not valid Unicode"],
    [{ [half]: 1 }, "the value has a key with half a surrogate pair, which is not valid Unicode"],
    [{ a: [1, null, true, "😀", {}, []] }, undefined]
  ]
  for (const [value, problem] of told) expect(unsound(value)).toBe(problem)
})

test("a value is nested as deeply as is allowed, whatever stands at the end, and no deeper", () => {
  for (const last of [1, "x", null, {}, []]) {
    expect(unsound(nested(MAX_DEPTH, last))).toBeUndefined()
    expect(unsound(nested(MAX_DEPTH + 1, last))).toEndWith("is nested deeper than 100 levels")
  }
})
