import { expect, test } from "bun:test"
import { CannotStart } from "../../../layers/adapter/CannotStart.ts"
import { cannotStart } from "../../../layers/adapter/ChildVerdict.ts"

const said = { reason: "x cannot be started (EMFILE)", remedy: "raise the limit" }

test("a child that could not be started is not tried again, unless the host had no room for it just now", () => {
  expect(cannotStart(new CannotStart(said)).retryClass).toBe("permanent")
  expect(cannotStart(new CannotStart({ ...said, passing: true })).retryClass).toBe("retryable")
})
