import { expect, test } from "bun:test"
import { Cause } from "effect"
import { LockUnusable } from "../../src/dispatch/Lock.ts"
import { answerTo } from "../../src/http/Failure.ts"

test("a lock that cannot be looked at is not told as a store that is away, and its place is nobody's business", () => {
  const lock = new LockUnusable({ path: "/s/notes.txt", reason: "it is a folder", remedy: "move it away" })
  const { answered, isFault } = answerTo(Cause.fail(lock))
  expect(answered).toMatchObject({ status: 503, code: "lock_unusable" })
  expect(answered.error).not.toContain("/s/")
  // The log tells the whole.
  expect(isFault).toBe(true)
})
