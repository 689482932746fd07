import { describe, expect, test } from "bun:test"
import { isBlank, spelledOut } from "../../src/domain/Blank.ts"
import { isBlank as isBlankOnThePage } from "../../src/page/Visible.ts"

/** Spaces, zero-width ones, fillers, the Braille blank, a variation selector, a tag, a mark without a letter. */
const UNSEEN = [
  "",
  " \t\n",
  "\u00a0",
  "\u200b",
  "\u2060",
  "\u00ad",
  "\u3164",
  "\u115f\u1160\uffa0",
  "\u2800",
  "\ufe0f",
  "\u{e0041}",
  "\u{1d159}",
  "\u034f",
  "\u202e\u202c",
  "\ufeff",
  "\u0301",
  "\u001b",
  " \u200d \u2063"
]

describe("a text", () => {
  test.each(UNSEEN.map((one) => [spelledOut(one), one]))("of %s alone is blank", (_, text) => {
    expect(isBlank(text)).toBe(true)
  })

  test.each(["a", "\u200ba", "👩‍👩‍👧", "❤️", "e\u0301", "می\u200cخواهم", "क्ष", "-", "\ue000", "\ufffc"])(
    "in which something can be seen is not, whatever else it holds: %s",
    (text) => {
      expect(isBlank(text)).toBe(false)
    }
  )

  test("is judged by the page as by everything else", () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const character = String.fromCodePoint(point)
      if (isBlank(character) !== isBlankOnThePage(character)) throw new Error(point.toString(16))
    }
  })
})

test("what is blank is named by its escapes", () => {
  expect(spelledOut(" \u200b\u{1d159}")).toBe('" \\u200b\\ud834\\udd59"')
})
