import { expect, test } from "bun:test"
import { makeCollector } from "../../layers/Garbage.ts"

test("what is young is collected every eighth attempt, and everything every 128th", () => {
  const done: Array<string> = []
  let attempt = 0
  const collect = makeCollector({
    young: () => done.push(`young ${attempt}`),
    all: () => done.push(`all ${attempt}`)
  })
  while (attempt < 520) {
    attempt++
    collect()
  }
  expect(done.slice(0, 3)).toEqual(["young 8", "young 16", "young 24"])
  expect(done.filter((one) => one.startsWith("all"))).toEqual(["all 128", "all 256", "all 384", "all 512"])
  expect(done.length).toBe(65)
})
