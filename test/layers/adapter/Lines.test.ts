import { expect, test } from "bun:test"
import { MAX_LINE_BYTES, makeLines, oneLine } from "../../../layers/adapter/Lines.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const gather = (chunks: ReadonlyArray<Uint8Array>) => {
  const lines: Array<string> = []
  const splitter = makeLines((line) => lines.push(line))
  for (const chunk of chunks) splitter.write(chunk)
  splitter.end()
  return { lines, dropped: splitter.dropped() }
}

test("lines are the same however their bytes come", () => {
  const text = "one\r\n\nthr\u00e9e 😀\nlast"
  const expected = { lines: ["one", "", "thr\u00e9e 😀", "last"], dropped: 0 }
  const all = bytes(text)
  expect(gather([all])).toEqual(expected)
  expect(gather(Array.from(all, (byte) => Uint8Array.of(byte)))).toEqual(expected)
  expect(gather([bytes("a\n")]).lines).toEqual(["a"])
  expect(gather([]).lines).toEqual([])
})

test("bytes that are no UTF-8 are replaced, not lost", () => {
  expect(gather([Uint8Array.of(0x61, 0xff, 0x0a, 0x62)]).lines).toEqual(["a\ufffd", "b"])
})

test("a line of 8 MiB is whole, a longer one is dropped and counted, its neighbours are not", () => {
  const most = "x".repeat(MAX_LINE_BYTES)
  const { dropped, lines } = gather([
    bytes("before\n"),
    bytes(most),
    bytes("\n"),
    bytes(most),
    bytes("y\nafter")
  ])
  expect(lines.map((line) => line.length)).toEqual([6, MAX_LINE_BYTES, 5])
  expect([lines[0], lines[2], dropped]).toEqual(["before", "after", 1])
  expect(gather([bytes(`${most}y`)])).toEqual({ lines: [], dropped: 1 })
})

test("one line is without control characters, and its end is cut with a mark", () => {
  expect(oneLine("  a\n\tb\u001b[31mc\u0007 ", 20)).toBe("a bc")
  expect(oneLine("x".repeat(30), 10)).toBe(`${"x".repeat(9)}…`)
  expect(oneLine(`${"x".repeat(8)}😀😀`, 10)).toBe(`${"x".repeat(8)}\ufffd…`)
  expect(oneLine(`${" ".repeat(100)}x`, 10)).toBe("…")
})
