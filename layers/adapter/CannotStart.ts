import { Schema } from "effect"

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
