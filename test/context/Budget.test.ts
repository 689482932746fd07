import { describe, expect, test } from "bun:test"
import { Either, FastCheck as fc } from "effect"
import { allot, shortened } from "../../src/context/Budget.ts"
import { sizeOf } from "../../src/context/HandOver.ts"

const parts = [
  { name: "skills", text: "s".repeat(1_000) },
  { name: "payload", text: "p".repeat(1_000) },
  { name: "memory", text: Array.from({ length: 10 }, () => "m".repeat(99)).join("\n"), byLine: true }
]

const at = (most: number) => Either.getOrThrow(allot(500, most, parts))
const isMark = (text: string | undefined) =>
  /^\[\w+ shortened: 0 of [\d,]+ characters shown\]$/.test(text ?? "")
const isCut = (text: string | undefined) =>
  /shortened: [1-9][\d,]* of [\d,]+ characters shown\]$/.test(text ?? "")

describe("the budget", () => {
  test("leaves everything as it is where there is room", () => {
    expect(at(3_499)).toEqual(parts.map(({ text }) => text))
  })

  test("shortens memory first, then payload, then skills, each with a visible mark", () => {
    const stages = [3_400, 2_600, 2_400, 1_700, 1_400, 700].map((most) => {
      const [skills, payload, memory] = at(most)
      return [skills, payload, memory].map((text, index) =>
        text === parts[index]?.text ? "whole" : isMark(text) ? "mark" : isCut(text) ? "cut" : text
      )
    })
    expect(stages).toEqual([
      ["whole", "whole", "cut"],
      ["whole", "whole", "mark"],
      ["whole", "cut", "mark"],
      ["whole", "cut", "mark"],
      ["cut", "mark", "mark"],
      ["cut", "mark", "mark"]
    ])
  })

  test("cuts memory between lines only", () => {
    const memory = at(3_200)[2] ?? ""
    const lines = memory.split("\n").slice(0, -1)
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.every((line) => line === "m".repeat(99))).toBe(true)
  })

  test("says how much is needed when even the marks do not fit", () => {
    const refused = Either.flip(allot(500, 600, parts)).pipe(Either.getOrThrow)
    expect(refused.most).toBe(600)
    expect(Either.isRight(allot(500, refused.needed, parts))).toBe(true)
    expect(Either.isLeft(allot(500, refused.needed - 1, parts))).toBe(true)
  })

  test("never splits a surrogate pair", () => {
    const text = "😀".repeat(400)
    for (let room = 100; room < 130; room++)
      expect(shortened({ name: "payload", text }, room).isWellFormed()).toBe(true)
  })

  test("is always kept, and a part that fits is never touched", () => {
    const text = fc.string({ maxLength: 400 }).map((one) => `${one}$ARTIFACT_ROOT`.repeat(2))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), fc.nat(1_500), (texts, most) => {
        const given = texts.map((one) => ({ name: "payload", text: one }))
        const result = allot(100, most, given)
        if (Either.isLeft(result)) return
        const used = result.right.reduce((sum, one) => sum + sizeOf(one), 100)
        expect(used).toBeLessThanOrEqual(most)
        const cut = result.right.findIndex((one, index) => one !== texts[index])
        if (cut > 0) expect(result.right.slice(0, cut)).toEqual(texts.slice(0, cut))
      })
    )
  })
})
