import { Schema } from "effect"
import { ROOM_REMEDY } from "../../src/domain/HostRoom.ts"

/**
 * A child process could not be started: what is wrong, what mends it. It would not start the next time either,
 * unless `passing` says that the host only had no room for it just now.
 */
export class CannotStart extends Schema.TaggedError<CannotStart>()("CannotStart", {
  reason: Schema.String,
  remedy: Schema.String,
  passing: Schema.Boolean.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => false)
  )
}) {}

/** The host has no room for something just now: `what` could not be done, `code` is the system's word. */
export const noRoomTo = (what: string, code: string): CannotStart =>
  new CannotStart({
    reason: `${what} (${code}): the host has no room for it now`,
    remedy: ROOM_REMEDY,
    passing: true
  })
