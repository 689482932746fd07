import { Schema } from "effect"
import { AdapterMode, Driver } from "../../domain/Attempt.ts"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/** How an adapter's newest attempt ended: since when it is as it is. */
export const LastAttempt = wireStruct({
  attemptId: Schema.String,
  endedAt: nullable(Time),
  exitStatus: nullable(Schema.String),
  reason: nullable(Schema.String)
})
export type LastAttempt = typeof LastAttempt.Type

const Row = wireStruct({
  id: Schema.String,
  mode: AdapterMode,
  driver: nullable(Driver),
  model: nullable(Schema.String),
  workspace: Schema.Literal("exclusive", "shared", "worktree"),
  autonomy: nullable(Schema.Literal("restricted", "trusted-vm")),
  fallback: nullable(Schema.String),
  /** Whether tasks run on it for which nobody names another one. */
  default: Schema.Boolean,
  /** Whether it may run untrusted input. */
  untrusted: Schema.Boolean,
  /** Its most attempts at once; null: as many as the dispatcher runs. */
  concurrency: nullable(Schema.Int),
  running: Schema.Int,
  cooldown: nullable(wireStruct({ until: Time, reason: nullable(Schema.String) })),
  lastAttempt: Schema.optional(LastAttempt),
  // What its probe says; there only when it was asked.
  ok: Schema.optional(Schema.Boolean),
  reason: Schema.optional(Schema.String),
  remedy: Schema.optional(Schema.String),
  /** All that is wrong, each with what mends it; `reason` and `remedy` are of the first. */
  problems: Schema.optional(Schema.Array(Schema.String)),
  warnings: Schema.optional(Schema.Array(Schema.String))
})
export type AdapterRow = typeof Row.Type

export const AdapterList = wireStruct({ adapters: Schema.Array(Row) }).annotations({
  identifier: "AdapterList"
})

/** `cleared` is false when the adapter did not cool down. */
export const ClearedAdapter = Schema.Struct({
  ok: Schema.Boolean,
  adapter: Schema.String,
  cleared: Schema.Boolean
})
