import { describe, expect, test } from "bun:test"
import { FastCheck as fc } from "effect"
import { type LineDiff, lineDiff } from "../../src/context/LineDiff.ts"
import { growsLinearly } from "../support/growth.ts"

/** The second text, made from the first by what a difference says. */
const applied = (before: string, { hunks }: LineDiff): string => {
  const lines = before.split("\n")
  for (const { added, beforeLine, removed } of [...hunks].reverse()) {
    expect(lines.slice(beforeLine - 1, beforeLine - 1 + removed.length)).toEqual([...removed])
    lines.splice(beforeLine - 1, removed.length, ...added)
  }
  return lines.join("\n")
}

describe("the difference of two texts", () => {
  test("is empty for equal ones", () =>
    expect(lineDiff("a\nb\n", "a\nb\n")).toEqual({ hunks: [], leftOut: 0 }))

  test("names the lines that are gone and new, with their numbers in both", () =>
    expect(lineDiff("a\nb\nc\nd\ne", "a\nB\nc\nd\nnew\ne")).toEqual({
      hunks: [
        { beforeLine: 2, afterLine: 2, removed: ["b"], added: ["B"] },
        { beforeLine: 5, afterLine: 5, removed: [], added: ["new"] }
      ],
      leftOut: 0
    }))

  test("sees a last line break", () =>
    expect(lineDiff("a", "a\n").hunks).toEqual([{ beforeLine: 2, afterLine: 2, removed: [], added: [""] }]))

  test("makes the one text of the other, whatever they hold", () => {
    const texts = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 }).map((all) => all.join("\n"))
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        expect(applied(before, lineDiff(before, after))).toBe(after)
      })
    )
  })

  test("is a shortest one", () => {
    const count = ({ hunks }: LineDiff) =>
      hunks.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0)
    // The example of Myers' paper: five edits.
    expect(count(lineDiff("A\nB\nC\nA\nB\nB\nA", "C\nB\nA\nB\nA\nC"))).toBe(5)
  })

  test("shows of a long line what is around its difference", () => {
    const line = "x".repeat(5_000)
    const [hunk] = lineDiff(`${line}one${line}`, `${line}two${line}`).hunks
    expect(hunk?.removed[0]).toMatch(/^…x{40}onex+…$/)
    expect(hunk?.added[0]).toMatch(/^…x{40}twox+…$/)
    expect(hunk?.removed[0]).toHaveLength(200)
  })

  test("shows of thousands of lines some of either side and counts the rest", () => {
    const lines = (word: string) => Array.from({ length: 5_000 }, (_, at) => `${word} ${at}`).join("\n")
    const { hunks, leftOut } = lineDiff(`same\n${lines("old")}\nend`, `same\n${lines("new")}\nend`)
    expect(hunks).toHaveLength(1)
    expect([hunks[0]?.removed.length, hunks[0]?.added.length, leftOut]).toEqual([200, 200, 9_600])
  })

  test("of megabytes grows as they do", () =>
    growsLinearly((share) => {
      const many = (word: string) =>
        Array.from({ length: 200_000 * share }, (_, at) => `${word}${at % 977}`).join("\n")
      const { hunks } = lineDiff(many("a"), `${many("b")}\n${"y".repeat(4_000_000 * share)}`)
      expect(hunks).toHaveLength(1)
    }))
})
