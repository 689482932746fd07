import { Schema } from "effect"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

const EntryType = Schema.Literal("file", "folder", "link", "other")

/** A folder below the artifact root; `truncated` stands where it holds more than is told. */
export const ArtifactFolder = wireStruct({
  path: Schema.String,
  type: EntryType,
  entries: Schema.Array(
    wireStruct({
      name: Schema.String,
      path: Schema.String,
      type: EntryType,
      size: nullable(Schema.Number),
      updatedAt: nullable(Time)
    })
  ),
  truncated: Schema.optional(Schema.Literal(true))
}).annotations({ identifier: "ArtifactFolder" })

/** A file below the artifact root; `content` is null where it is no text, `truncated` stands where it is longer. */
export const ArtifactFile = wireStruct({
  path: Schema.String,
  size: Schema.Number,
  updatedAt: Time,
  contentType: Schema.String,
  content: Schema.NullOr(Schema.String),
  truncated: Schema.optional(Schema.Literal(true))
}).annotations({ identifier: "ArtifactFile" })
