import { afterAll, beforeAll, expect, test } from "bun:test"
import { Fragment, h, options } from "preact"
import { showTurns, visible } from "../../src/page/Visible.ts"

const before = options.vnode
beforeAll(showTurns)
afterAll(() => {
  if (before === undefined) delete options.vnode
  else options.vnode = before
})

test("what turns a text is seen, what turns nothing stays", () => {
  expect(visible("\u202egnp.exe\u2069")).toBe("[U+202E]gnp.exe[U+2069]")
  expect(visible("\u0645\u0631\u062d\u0628\u0627 \u200f(1)")).toBe("\u0645\u0631\u062d\u0628\u0627 \u200f(1)")
})

test("every text of the page is made so, wherever it stands, and what is no text is left alone", () => {
  const turn = "\u202ex"
  expect(h("p", null, turn).props.children).toBe("[U+202E]x")
  expect(h(Fragment, null, "a", [turn, 1]).props.children).toEqual(["a", ["[U+202E]x", 1]])
  const inner = h("b", null, "y")
  expect(h("p", null, turn, inner, null).props.children).toEqual(["[U+202E]x", inner, null])
  // What somebody writes is theirs, and what is handed on is drawn by another part.
  expect(h("textarea", { value: turn }).props.value).toBe(turn)
})
