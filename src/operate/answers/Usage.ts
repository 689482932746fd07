import { Schema } from "effect"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/** Tokens and cost by adapter and day (UTC), newest day first. */
export const UsageList = wireStruct({
  usage: Schema.Array(
    wireStruct({
      day: Schema.String,
      adapterId: Schema.String,
      attempts: Schema.Int,
      inputTokens: Schema.Int,
      outputTokens: Schema.Int,
      cachedTokens: Schema.Int,
      costUsd: Schema.Number
    })
  )
}).annotations({ identifier: "UsageList" })

const figures = {
  /** Attempts that began in it. */
  attempts: Schema.Int,
  running: Schema.Int,
  /** Attempts whose verdict was that the work is done. */
  ok: Schema.Int,
  /** Of those that have ended; null when none has. */
  medianMs: nullable(Schema.Int),
  p95Ms: nullable(Schema.Int),
  inputTokens: Schema.Int,
  outputTokens: Schema.Int
}

/** What the attempts of a stretch of time came to. */
export const AttemptSums = wireStruct(figures)
export type AttemptSums = typeof AttemptSums.Type

const Day = {
  ...figures,
  /** There were more than are read: the hours of the older ones are not complete. */
  partial: Schema.Boolean,
  /** Hours in which an attempt began, oldest first, each by when it begins. */
  hours: Schema.Array(wireStruct({ hour: Time, ...figures }))
}

/** How attempts went since the beginning of the hour 23 hours ago: all together, and by adapter. */
export const AttemptUsage = wireStruct({
  since: Time,
  all: wireStruct(Day),
  adapters: Schema.Array(wireStruct({ adapterId: Schema.String, ...Day }))
}).annotations({ identifier: "AttemptUsage" })
