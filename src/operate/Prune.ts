import { DateTime, Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { removal } from "../context/Worktrees.ts"
import * as Pruning from "../dispatch/Prune.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { operation } from "./Operation.ts"

const UNLIMITED =
  "retention is not configured, so everything is kept for ever but litter; set completedDays, eventDays or artifactDays"

/** So many are named; `healthcheck` names those that are kept as well. */
const MOST_NAMED = 5

const named = (paths: ReadonlyArray<string>, count: number): string => {
  const first = paths.slice(0, MOST_NAMED)
  return [...first, ...(count > first.length ? [`${count - first.length} more`] : [])].join(", ")
}

const left = (paths: ReadonlyArray<string>, count: number, why: string): string =>
  `no record names what lies at ${named(paths, count)}, but ${why}, so it stays (litter_left)`

const older = (since: DateTime.Utc): string =>
  `it was made before this database was created or restored (${DateTime.formatIso(since)}): another database may name it, such as one that restore has put aside (remove it yourself when nobody wants it)`

const shared = (others: ReadonlyArray<string>): string =>
  `another database keeps its evidence there too (${named(others, others.length)}): give each an artifactDir of its own`

const whyLeft = (at: DateTime.Utc, sharedWith: ReadonlyArray<string>) =>
  sharedWith.length > 0
    ? Effect.succeed(shared(sharedWith))
    : Effect.flatMap(Store, ({ maintenance }) => Effect.map(maintenance.prune.since(at, true), older))

const kept = (paths: ReadonlyArray<string>): string =>
  `somebody's work is in worktrees that would be gone by now; they stay, with the tasks and evidence that tell of them: ${named(paths, paths.length)}; when you have what you want of one, ${removal("PATH")}, and the next prune takes the rest`

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
    runners: Schema.Int,
    fates: Schema.Int,
    bundles: Schema.Int,
    evidenceFolders: Schema.Int,
    bytesFreed: Schema.Int,
    worktreesKept: Schema.Int,
    litter: Schema.Int,
    litterLeft: Schema.Int,
    problems: Schema.Array(Schema.String)
  }),
  run: traced("Prune.prune")(function* ({ dryRun }: { readonly dryRun: boolean }) {
    const { retention } = yield* RuntimeConfig
    const at = yield* now
    const { litterLeftAt, sharedWith, worktreesKept, ...pruned } = yield* Pruning.prune(at, { dryRun })
    const notes = [
      ...(Object.values(retention).every(Option.isNone) ? [UNLIMITED] : []),
      ...(worktreesKept.length > 0 ? [kept(worktreesKept)] : []),
      ...(pruned.litterLeft > 0
        ? [left(litterLeftAt, pruned.litterLeft, yield* whyLeft(at, sharedWith))]
        : [])
    ]
    return {
      ok: pruned.problems.length === 0,
      dryRun,
      retention,
      note: Option.liftPredicate(notes.join(". "), () => notes.length > 0),
      ...pruned,
      worktreesKept: worktreesKept.length
    }
  })
})
