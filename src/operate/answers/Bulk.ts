import { Schema } from "effect"
import { TaskId } from "../../domain/Ids.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/**
 * What a move of many came to: how many tasks fit the filter, how many were moved, how many were refused.
 * `bulk_id` stands in the event of every move; null when nothing was to be moved (`dry_run`).
 */
export const Bulk = wireStruct({
  matched: Schema.Int,
  moved: Schema.Int,
  refused: Schema.Int,
  dryRun: Schema.Boolean,
  bulkId: nullable(Schema.String),
  refusals: Schema.Array(wireStruct({ taskId: TaskId, why: Schema.String }))
}).annotations({ identifier: "Bulk" })
export type Bulk = typeof Bulk.Type
