import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { abridged, quoted } from "../../src/domain/Abridged.ts"

describe("abridged", () => {
  test("leaves what is short as it is", () => {
    expect(abridged("a\ud83d", 2)).toBe("a\ud83d")
    expect(abridged("x".repeat(200))).toBe("x".repeat(200))
  })

  test("cuts no character in two", () => {
    expect(abridged("ab😀c", 4)).toBe("ab…")
    expect(abridged("ab😀cd", 5)).toBe("ab😀…")
  })

  test("is never longer than asked, begins as the text does, and well-formed text stays so", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, most) => {
        const told = abridged(text, most)
        expect(told.length).toBeLessThanOrEqual(most)
        expect(text.startsWith(told.replace(/…$/, ""))).toBe(true)
        expect(told.isWellFormed()).toBe(text.isWellFormed())
      })
    )
  })

  test("is quoted so that a sentence of one line stays one", () => {
    expect(quoted('say "no"\n')).toBe('"say \\"no\\"\\n"')
    expect(quoted("x".repeat(300), 5)).toBe('"xxxx…"')
  })
})
