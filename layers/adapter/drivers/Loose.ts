import { Either, Schema } from "effect"

/** A field of somebody else's line: one that is not as expected is as good as left out, and costs its line nothing. */
export const loose = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optional(Schema.UndefinedOr(schema).annotations({ decodingFallback: () => Either.right(undefined) }))

export const text = loose(Schema.String)
export const number = loose(Schema.Number)
/** A figure of a run's use; whether it can be counted with, `domain/Usage` says. */
export const count = loose(Schema.Number.pipe(Schema.finite(), Schema.nonNegative()))
