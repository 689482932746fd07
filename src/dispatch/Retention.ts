import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { now } from "../domain/Time.ts"
import { prune } from "./Prune.ts"

const BETWEEN_PRUNES = "1 day"

/** Applies `retention` at once and then every day; where none is configured, never. */
export const retaining = Effect.gen(function* () {
  const { retention } = yield* RuntimeConfig
  if (Object.values(retention).every(Option.isNone)) return yield* Effect.never
  return yield* Effect.forever(Effect.zipRight(once, Effect.sleep(BETWEEN_PRUNES)))
})

const once = Effect.gen(function* () {
  const pruned = yield* prune(yield* now, { dryRun: false })
  const { attempts, events, evidenceFolders, fates, litter, runners, tasks, worktreesKept } = pruned
  if (worktreesKept.length > 0)
    yield* Effect.logWarning(
      `Retention is over for ${worktreesKept.length} worktrees, which stay until an operator removes them; healthcheck names them`
    )
  if (tasks + events + runners + fates + evidenceFolders + litter === 0) return
  yield* Effect.logInfo(
    `Removed by retention: ${tasks} tasks with ${attempts} attempts, ${events} events, ${fates} fates of schedules, ${runners} runners, ${evidenceFolders} folders of evidence, ${litter} left-overs`
  )
})
