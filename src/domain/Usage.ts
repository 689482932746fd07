import { Option, Schema } from "effect"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

const count = nullable(Schema.Number.pipe(Schema.nonNegative()))

/** What an attempt consumed; each figure is none where the adapter does not tell it. */
export const Usage = whenUsed(() =>
  wireStruct({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    costUsd: count
  })
)
export type Usage = typeof Usage.Type

export const unknownUsage: Usage = {
  inputTokens: Option.none(),
  outputTokens: Option.none(),
  cachedTokens: Option.none(),
  costUsd: Option.none()
}
