import { Schema } from "effect"

/**
 * The store cannot serve: it cannot be opened, is refused (newer, foreign, corrupt, empty), locked out for
 * too long, or full. `remedy` says what an operator does about it. Exit code 3.
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  path: Schema.String,
  reason: Schema.String,
  remedy: Schema.String
}) {}

/** A stored row does not decode; `problem` names the column. The row is not changed. */
export class RecordInvalid extends Schema.TaggedError<RecordInvalid>()("RecordInvalid", {
  table: Schema.String,
  id: Schema.String,
  problem: Schema.String
}) {}

export type StoreError = StoreUnavailable
