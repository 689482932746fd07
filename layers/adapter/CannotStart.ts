import { Schema } from "effect"

/** A child process could not be started, and would not start the next time either: what is wrong, what mends it. */
export class CannotStart extends Schema.TaggedError<CannotStart>()("CannotStart", {
  reason: Schema.String,
  remedy: Schema.String
}) {}
