import { expect, test } from "bun:test"
import { isSameJson } from "../../src/domain/Json.ts"

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
