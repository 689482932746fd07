import { expect, test } from "bun:test"
import { bytesOf, rowsOf, sizeWords } from "../../src/page/Message.ts"

test("a message is measured in the bytes in which it is sent", () => {
  expect(bytesOf({ message: "ab" })).toBe(16)
  expect(bytesOf({ message: "ä" })).toBe(16)
  expect(bytesOf({ message: "\n" })).toBe(16)
})

test("nothing is said of a message while there is room; then how much is left, then by how much it is too long", () => {
  const said = (length: number) => sizeWords("/api/tasks/queue", { message: "x".repeat(length) })
  expect(said(1_000)).toEqual({ words: "", fits: true })
  expect(said(60_000)).toEqual({ words: "60,014 of 65,536 bytes.", fits: true })
  expect(said(65_522).fits).toBe(true)
  expect(said(65_523)).toMatchObject({ fits: false, words: expect.stringMatching(/^Too long by 1 bytes: /) })
  // What is to run later is an intent, which has more room.
  expect(sizeWords("/api/tasks", { message: "x".repeat(70_000) })).toEqual({ words: "", fits: true })
})

test("a box grows with its text, long lines included", () => {
  expect([
    rowsOf("", 8),
    rowsOf("a\nb\nc", 8),
    rowsOf("x".repeat(300), 8),
    rowsOf("x".repeat(5_000), 8)
  ]).toEqual([2, 3, 5, 8])
})
