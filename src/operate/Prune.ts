import { Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import * as Pruning from "../dispatch/Prune.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { operation } from "./Operation.ts"

const UNLIMITED =
  "retention is not configured, so everything is kept for ever but litter; set completedDays, eventDays or artifactDays"

/** Applies `retention` now; with `dryRun` it only counts. Not ok when something could not be removed. */
export const prune = operation({
  name: "store.prune",
  role: "operate",
  output: wireStruct({
    ok: Schema.Boolean,
    dryRun: Schema.Boolean,
    retention: wireStruct({
      completedDays: nullable(Schema.Number),
      eventDays: nullable(Schema.Number),
      artifactDays: nullable(Schema.Number)
    }),
    note: nullable(Schema.String),
    tasks: Schema.Int,
    attempts: Schema.Int,
    events: Schema.Int,
    bundles: Schema.Int,
    evidenceFolders: Schema.Int,
    bytesFreed: Schema.Int,
    litter: Schema.Int,
    problems: Schema.Array(Schema.String)
  }),
  run: traced("Prune.prune")(function* ({ dryRun }: { readonly dryRun: boolean }) {
    const { retention } = yield* RuntimeConfig
    const pruned = yield* Pruning.prune(yield* now, { dryRun })
    return {
      ok: pruned.problems.length === 0,
      dryRun,
      retention,
      note: Option.liftPredicate(UNLIMITED, () => Object.values(retention).every(Option.isNone)),
      ...pruned
    }
  })
})
