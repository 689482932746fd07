import { expect, test } from "bun:test"
import { DateTime, Option } from "effect"
import { timeOfId, uuidV7 } from "../../src/domain/Ids.ts"

test("a UUIDv7 tells when it was given, an id of another shape does not", () => {
  const millis = Date.parse("2026-04-29T07:00:00.003Z")
  const id = uuidV7(millis, 4095, new Uint8Array(10).fill(255))
  expect(timeOfId(id)).toEqual(Option.some(DateTime.unsafeMake(millis)))
  expect(timeOfId(uuidV7(0, 0, new Uint8Array(10)))).toEqual(Option.some(DateTime.unsafeMake(0)))
  for (const other of ["", "task-1", `${id}0`, `x${id}`, "0196a1b2-0000-4000-8000-000000000001"])
    expect(timeOfId(other)).toEqual(Option.none())
})
