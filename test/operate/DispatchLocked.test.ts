import { expect, test } from "bun:test"
import { Option } from "effect"
import { dispatching } from "../../src/operate/Backup.ts"

test("whoever holds the dispatch lock is not called a dispatcher: a restore and an adopt take it as well", () => {
  const { hint, message } = dispatching(Option.some("vm:1:x"), "the store is not replaced")
  expect(message).toBe(
    "a dispatcher, or another restore or adopt, is at work (vm:1:x), so the store is not replaced"
  )
  expect(hint).toContain("wait for its end")
})
