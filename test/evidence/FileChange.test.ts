import { expect, test } from "bun:test"
import { Option } from "effect"
import { readChange } from "../../src/evidence/FileChange.ts"
import { growsLinearly } from "../support/growth.ts"

const read = (entry: string) =>
  readChange(entry).map(({ verb, paths }) => [Option.getOrElse(verb, () => ""), ...paths])

test.each([
  ["src/a.ts", [["", "src/a.ts"]]],
  ["created: src/a.ts", [["created", "src/a.ts"]]],
  ["  DELETED :src/a.ts  ", [["deleted", "src/a.ts"]]],
  [
    "modified: `src/a.ts` - why - really",
    [["modified", "`src/a.ts` - why - really", "`src/a.ts` - why", "src/a.ts"]]
  ],
  ["added: src/a.ts", [["", "added: src/a.ts"]]],
  ["src/a-b.ts", [["", "src/a-b.ts"]]],
  ["", [["", ""]]],
  [
    "renamed: a/b -> a/c - moved",
    [
      ["deleted", "a/b"],
      ["renamed", "a/c - moved", "a/c"]
    ]
  ],
  ["renamed: a/c", [["renamed", "a/c"]]],
  ["modified: a -> b/c", [["modified", "a -> b/c"]]]
])("%j is read as %j", (entry, expected) => {
  expect(read(entry)).toEqual(expected)
})

test("an entry of a megabyte is read in linear time", () =>
  growsLinearly((share) => {
    for (const piece of [" - ", " ", "renamed: ", "`", " -> ", "a: "])
      readChange(`renamed:${piece.repeat(300_000 * share)}`)
  }))
