import { expect, test } from "bun:test"
import { parseEnv } from "../../../layers/adapter/EnvFile.ts"

const values = (text: string) => Object.fromEntries(parseEnv(text).values)

test("plain, exported and quoted values are read, one pair of quotes removed", () => {
  expect(values('A=1\nexport B=two words \r\n C = \'x\' \nD="a \'b\'"\nE=""q""\nF=\nG=\'open\n')).toEqual({
    A: "1",
    B: "two words",
    C: "x",
    D: "a 'b'",
    E: '"q"',
    F: "",
    G: "'open"
  })
})

test("a value with separators of lines that end no line here is read whole", () => {
  expect(values("A=one\u2028two\u2029three\nB=2")).toEqual({ A: "one\u2028two\u2029three", B: "2" })
})

test("comments and empty lines say nothing, a # inside a value belongs to it, nothing is expanded", () => {
  expect(parseEnv("# A=1\n\n   # B=2\n").values.size).toBe(0)
  expect(values("C=a#b = c\nD=$HOME\nC2=x=y")).toEqual({ C: "a#b = c", D: "$HOME", C2: "x=y" })
})

test("the last of two equal keys counts", () => {
  expect(values("A=1\nA=2")).toEqual({ A: "2" })
})

test("other lines are told by number only", () => {
  expect(parseEnv("A=1\nset -a\nsecret words\n1X=2\nB=a\0b").strange).toEqual([2, 3, 4, 5])
})
