import { Schema } from "effect"

/**
 * The store cannot serve: it cannot be opened, is refused (newer, foreign, corrupt, empty), locked out for
 * too long, or full. `remedy` says what an operator does about it. Exit code 3.
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  path: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  /** Whether it will never serve this process again: its file has gone from its path while it was open. */
  isLost: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** Whether it is well and refuses what was asked of it, by a fault of ours: the same would be refused each time. */
  isFault: Schema.optionalWith(Schema.Boolean, { default: () => false })
}) {}

/**
 * What lets this user write a database. SQLite makes the two files beside it with the rights of the database, and
 * they keep those when it is opened up again.
 */
export const writableRemedy = (path: string): string =>
  `this user must be able to write the folder and all of the store's files that are there: chmod u+rwX ${path.replace(/\/[^/]*$/, "")} ${path} ${path}-wal ${path}-shm (or chown them)`

/** A stored row does not decode; `problem` names the column. The row is not changed. */
export class RecordInvalid extends Schema.TaggedError<RecordInvalid>()("RecordInvalid", {
  table: Schema.String,
  id: Schema.String,
  problem: Schema.String
}) {}

export type StoreError = StoreUnavailable
