import { expect, test } from "bun:test"
import { below, isInside, join, normalise, parent } from "../../src/artifact/FilePath.ts"

test.each([
  ["a/./b//c/", "a/b/c"],
  ["a/../b", "b"],
  ["a/../../b", "../b"],
  ["../../a", "../../a"],
  ["/a/../../b", "/b"],
  ["/..", "/"],
  [".", ""],
  ["", ""]
])("%j is %j once normalised", (path, expected) => {
  expect(normalise(path)).toBe(expected)
})

test("a path is inside a folder only below its last slash", () => {
  expect(isInside("/a/b", "/a/b")).toBe(true)
  expect(isInside("/a/b", "/a/b/c")).toBe(true)
  expect(isInside("/a/b", "/a/bc")).toBe(false)
  expect(isInside("/", "/a")).toBe(true)
  expect(below("/a/b", "/a/b/c/d")).toBe("c/d")
  expect(below("/", "/a")).toBe("a")
  expect(below("/a", "/a")).toBe("")
})

test("an absolute path means itself, a relative one is taken from the folder", () => {
  expect(join("/a", "/b/c")).toBe("/b/c")
  expect(join("/a/b", "../c")).toBe("/a/c")
})

test("the parent of a path is its folder, and the root's is the root", () => {
  expect(parent("/a/b")).toBe("/a")
  expect(parent("/a")).toBe("/")
  expect(parent("/")).toBe("/")
  expect(parent("a")).toBe("")
})
