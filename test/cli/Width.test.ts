import { describe, expect, test } from "bun:test"
import { Effect, Schema } from "effect"
import { clip, pad, visible, width, wrap } from "../../src/cli/Width.ts"
import { it } from "../support/effect.ts"

describe("the width of text", () => {
  const cases: ReadonlyArray<readonly [string, string, number]> = [
    ["plain letters", "abc", 3],
    ["Chinese", "任务队列", 8],
    ["Japanese and Korean", "かなカナ한글", 12],
    ["full-width letters", "ＡＢ", 4],
    ["accents that combine", "e\u0301a\u0300", 2],
    ["accents that are one letter", "éà", 2],
    ["an emoji", "🚀", 2],
    ["a family joined of three emoji", "👩‍👩‍👧", 2],
    ["an emoji with a skin tone", "👍🏽", 2],
    ["a flag", "🇩🇪", 2],
    ["a sign made an emoji", "❤️", 2],
    ["a sign that is none", "→✓", 2],
    ["box drawing and dashes", "─…–", 3]
  ]
  for (const [name, text, columns] of cases) test(`counts ${name}`, () => expect(width(text)).toBe(columns))

  test("agrees with Bun's own count", () => {
    for (const [, text] of cases) expect(width(text)).toBe(Bun.stringWidth(text))
  })
})

describe("hostile text", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["colours", "\u001b[31mred", "\\e[31mred"],
    ["a title for the window", "\u001b]0;evil\u0007", "\\e]0;evil\\x07"],
    ["one-byte control sequences", "\u009b2J", "\\x9b2J"],
    ["line breaks and tabs", "a\nb\r\tc", "a\\nb\\r\\tc"],
    ["a backspace and a NUL", "a\b\u0000", "a\\x08\\x00"],
    ["DEL", "\u007f", "\\x7f"],
    ["text that runs backwards", "\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["isolates", "\u2066x\u2069", "\\u{2066}x\\u{2069}"],
    ["letters of no width", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
    ["tags that nobody sees", "a\u{e0041}", "a\\u{e0041}"],
    ["line separators", "a\u2028b", "a\\u{2028}b"],
    ["half a surrogate pair", "a\ud800b", "a\ufffdb"],
    ["a joiner that joins nothing", "a\u200db", "a\\u{200d}b"]
  ]
  for (const [name, text, shown] of cases)
    test(`is made visible: ${name}`, () => expect(visible(text)).toBe(shown))

  test("leaves honest text as it is", () => {
    for (const text of ["plain", "任务", "👩‍👩‍👧 ok", "❤️", "e\u0301", "\\n"]) expect(visible(text)).toBe(text)
  })

  it.prop("never holds a control character afterwards", Schema.String, (text) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    Effect.sync(() => expect(visible(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/))
  )
})

describe("text in a given width", () => {
  test("is cut with an ellipsis, never inside a letter", () => {
    expect(clip("abcdef", 4)).toBe("abc…")
    expect(clip("abcd", 4)).toBe("abcd")
    expect(clip("任务队列", 5)).toBe("任务…")
    expect(clip("任务队列", 4)).toBe("任…")
    expect(clip("👩‍👩‍👧👩‍👩‍👧", 3)).toBe("👩‍👩‍👧…")
    expect(clip("abc", 1)).toBe("…")
    expect(clip("abc", 0)).toBe("")
  })

  test("is filled with blanks", () => {
    expect(pad("任", 4)).toBe("任  ")
    expect(pad("7", 3, "right")).toBe("  7")
    expect(pad("long", 2)).toBe("long")
  })

  test("is broken at blanks, and inside words that are too long", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"])
    expect(wrap("abcdefgh ij", 4)).toEqual(["abcd", "efgh", "ij"])
    expect(wrap("任务队列", 4)).toEqual(["任务", "队列"])
    expect(wrap("", 4)).toEqual([""])
  })

  it.prop(
    "never exceeds it",
    Schema.Tuple(Schema.String, Schema.Int.pipe(Schema.between(2, 40))),
    ([text, columns]) =>
      Effect.sync(() => {
        const safe = visible(text)
        expect(width(clip(safe, columns))).toBeLessThanOrEqual(columns)
        for (const line of wrap(safe, columns)) expect(width(line)).toBeLessThanOrEqual(columns)
      })
  )

  it.prop(
    "loses no letter but blanks when it is broken",
    Schema.Tuple(Schema.String, Schema.Int.pipe(Schema.between(2, 40))),
    ([text, columns]) =>
      Effect.sync(() => {
        const safe = visible(text)
        expect(wrap(safe, columns).join("").replaceAll(" ", "")).toBe(safe.replaceAll(" ", ""))
      })
  )
})
