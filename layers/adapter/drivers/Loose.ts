import { Either, Schema } from "effect"

/** A field of somebody else's line: one that is not as expected is as good as left out, and costs its line nothing. */
export const loose = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optional(Schema.UndefinedOr(schema).annotations({ decodingFallback: () => Either.right(undefined) }))

export const text = loose(Schema.String)
export const number = loose(Schema.Number)
export const integer = loose(Schema.Int)
/** A figure of a run's use, or an object of such; `Figures` tells whether it can be counted with. */
export const figure = Schema.optional(Schema.Unknown)
