import { expect, test } from "bun:test"
import { completed, offers, wordAt } from "../../src/page/SkillWord.ts"

test("a word is of a skill behind a slash that begins it, up to the caret", () => {
  expect(wordAt("use /we", 7)).toBe("we")
  expect(wordAt("/", 1)).toBe("")
  expect(wordAt("use /weld now", 6)).toBe("w")
  expect(wordAt("use /weld now", 13)).toBeUndefined()
  expect(wordAt("either/or", 9)).toBeUndefined()
})

test("skills are offered that begin with it, then those that hold it; one that is whole is not", () => {
  expect(offers(["mend-pump", "pump", "pump-test", "weld"], "PU")).toEqual(["pump", "pump-test", "mend-pump"])
  expect(offers(["pump", "pump-test"], "pump")).toEqual(["pump-test"])
})

test("a chosen skill takes the word's place, and the caret stands behind it", () => {
  expect(completed("use /we", 7, "weld")).toEqual(["use /weld ", 10])
  expect(completed("use /we on it", 7, "weld")).toEqual(["use /weld on it", 10])
  expect(completed("use /", 5, "weld")).toEqual(["use /weld ", 10])
})
