import { describe, expect, test } from "bun:test"
import { Either, FastCheck } from "effect"
import { parseJson } from "../../src/config/JsonText.ts"
import { growsLinearly } from "../support/growth.ts"

const faults = (text: string): ReadonlyArray<string> =>
  Either.match(parseJson(text), {
    onLeft: (list) =>
      list.map(
        (fault) => `${fault.line}:${fault.column} ${fault.wrong} | ${fault.expected} | ${fault.remedy}`
      ),
    onRight: () => []
  })

const accepted = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe("JSON with places", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ["", "1:1 the file is empty | an object | "],
    ['{\n  "a": 1,\n}', '3:1 found "}" after a comma | another item | remove the comma'],
    ["[1,]", '1:4 found "]" after a comma | another item | remove the comma'],
    ['{"a": 1 // why\n}', '1:9 found "/" | `,` or `}` | JSON has no comments'],
    ["{'a': 1}", `1:2 found "'" | a key in double quotes | use double quotes`],
    ['{"a" 1}', '1:6 found "1" | `:` after the key "a" | '],
    ['{"a": nope}', '1:7 found "nope" | a value | '],
    ['{"a": 01}', '1:7 found "01" | a value | '],
    ['{"a": "x\n"}', "1:7 a text begins here and does not end on its line | a closing double quote | "],
    ['{"a": "x', "1:7 a text begins here and does not end on its line | a closing double quote | "],
    ['{"a": "\t"}', "1:8 found a control character in a text | an escape such as \\u0009 | "],
    [
      '{"a": "C:\\q"}',
      '1:10 found the escape "\\\\q" | one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 | double the backslash'
    ],
    ['{"a": 1} x', '1:10 "x" follows the end of the value | the end of the file | '],
    ['{"a": 1', "1:8 found the end of the file | `,` or `}` | "],
    [
      '{"a": 1,\n "b": 2,\n "a": 3}',
      '3:2 the key "a" stands twice in one object | each key once | it is also on line 1; remove one'
    ],
    [
      '{"a": 1, "\\u0061": 3}',
      '1:10 the key "a" stands twice in one object | each key once | it is also on line 1; remove one'
    ],
    [
      '{"a": 9007199254740992}',
      "1:7 the integer 9007199254740992 is too large to be kept exactly | at most 9007199254740991 to either side of 0 | give a smaller number or, where it is an id, put it into double quotes"
    ],
    ['{"__proto__": 1}', "1:2 the key `__proto__` cannot be used | another key | "],
    ["[".repeat(200), "1:102 it is nested too deeply | at most 100 levels | "]
  ]
  for (const [text, fault] of table)
    test(JSON.stringify(text.slice(0, 40)), () => expect(faults(text)).toEqual([fault]))

  test("all duplicate keys are told, the same key in two objects is none", () => {
    expect(faults('{"a":{"x":1},"b":{"x":1}}')).toEqual([])
    expect(faults('{"a":1,"a":2,"b":{"c":1,"c":2}}')).toHaveLength(2)
  })

  test("of very many faulty keys the first are told and the number of the rest, before a fault of syntax", () => {
    const told = faults(`{\n${'"a": 1,\n'.repeat(1_041)}"__proto__": 1,,}`)
    expect(told).toHaveLength(42)
    expect(told[39]).toStartWith("42:1 the key")
    expect(told.slice(40)).toEqual([
      "43:1 1,001 more keys stand twice or cannot be used | other keys, each once | ",
      '1043:16 found "," | a key in double quotes | '
    ])
    expect(faults(`{${'"a":1,'.repeat(42)}"b":1}`).at(-1)).toBe(
      "1:248 1 more key stands twice or cannot be used | other keys, each once | "
    )
  })

  test("a key that stands many times costs no more than as many other ones", () =>
    growsLinearly((share) => {
      const text = `{${'"a":1,\n'.repeat(100_000 * share)}"b":1}`
      expect(faults(text)).toHaveLength(41)
    }))

  test("a byte order mark is skipped", () => {
    expect(parseJson('\uFEFF{"a":1}')).toEqual(Either.right({ a: 1 }))
  })

  test("what JSON.parse accepts without loss is parsed alike, and nothing else", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue({ maxDepth: 4 }), FastCheck.nat(4), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        if (!/__proto__|\d{16}/.test(text)) expect(parseJson(text)).toEqual(Either.right(JSON.parse(text)))
      })
    )
    const pieces = FastCheck.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      "1",
      "-",
      ".",
      "e5",
      "true",
      "null",
      " ",
      "\n",
      "\\",
      "\\u00e9",
      "é",
      "0"
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("")
        const twice = faults(text).some((fault) => fault.includes("stands twice"))
        if (!twice) expect(faults(text).length === 0).toBe(accepted(text))
      }),
      { numRuns: 2_000 }
    )
  })
})

test("an integer that JavaScript would round is refused where it stands, in quotes it is text", () => {
  const refused = parseJson('{"id": 1181023456789012345}')
  expect(Either.isLeft(refused) && refused.left[0]).toMatchObject({ line: 1, column: 8 })
  expect(parseJson('{"id": "1181023456789012345"}')).toEqual(Either.right({ id: "1181023456789012345" }))
  expect(parseJson("[9007199254740991, -9007199254740991, 0.1, 1e20]")).toEqual(
    Either.right([9007199254740991, -9007199254740991, 0.1, 1e20])
  )
})
