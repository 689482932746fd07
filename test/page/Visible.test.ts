import { expect, test } from "bun:test"
import { allVisible, visible } from "../../src/page/Visible.ts"

test("what turns a text is seen, what turns nothing stays", () => {
  expect(visible("\u202egnp.exe\u2069")).toBe("[U+202E]gnp.exe[U+2069]")
  expect(visible("\u0645\u0631\u062d\u0628\u0627 \u200f(1)")).toBe("\u0645\u0631\u062d\u0628\u0627 \u200f(1)")
})

test("every text within an element is made so, and what is no text is left alone", () => {
  const element = { type: "b", props: {} }
  expect(allVisible(["\u202ex", ["a", "\u2066"], 1, null])).toEqual(["[U+202E]x", ["a", "[U+2066]"], 1, null])
  expect(allVisible(element)).toBe(element)
})
