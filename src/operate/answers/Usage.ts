import { Schema } from "effect"
import { wireStruct } from "../../domain/Wire.ts"

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
