import { Effect, Layer, Option } from "effect"
import { type Abandoned, LeftOvers } from "../../src/adapter/LeftOvers.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { traced } from "../../src/domain/Traced.ts"
import * as EscapeRecord from "./EscapeRecord.ts"
import { kin, type Lineage, lineage } from "./Kinship.ts"
import { climb, type Ladder, usualLadder } from "./Ladder.ts"
import { bootName, hasInEnvironment, locksLimit, type ProcessFacts, processTable } from "./ProcTable.ts"
import { removeScratch } from "./Scratch.ts"

const lineageOf = (attempt: Abandoned, stateDir: string): Lineage => {
  const start = Option.getOrElse(attempt.startTime, () => "")
  const sameBoot = start.endsWith(`@${bootName()}`)
  return lineage(attempt.attemptId, {
    root: sameBoot
      ? Option.getOrUndefined(Option.map(attempt.pid, (pid) => ({ pid, startTime: start })))
      : undefined,
    since: (sameBoot && Number.parseInt(start, 10)) || 0,
    groupOutlivesRoot: false,
    seen: EscapeRecord.recall(stateDir, attempt.attemptId)
  })
}

const LOOKS = 5

const looks = {
  brand: ({ pid }: ProcessFacts) => locksLimit(pid),
  marked: ({ pid }: ProcessFacts, marker: string) => hasInEnvironment(pid, marker)
}

// The table is not read at once: one that began another and ended meanwhile may have hidden it, and it is not this
// process that adopts them. None is believed when several looks in a row have found none.
const find = (of: Lineage): ReadonlyArray<ProcessFacts> => {
  for (let look = 1; look <= LOOKS; look++) {
    const members = kin(processTable(), of, looks, process.pid).filter(({ alive }) => alive)
    // What was met once stays known, also after its parent, by which it was found, has ended.
    for (const { pid, startTime } of members) of.seen.set(pid, startTime)
    if (members.length > 0) return members
  }
  return []
}

/**
 * The sweep over `stateDir` with its own ladder. Finds the leftovers by the direct child's group (when
 * that child is the recorded one), by marker and brand, by the record of escaped processes, and all their
 * descendants. After a reboot pids mean nothing and only marker and brand count.
 */
export const sweepLeftovers = (stateDir: string, ladder: Ladder = usualLadder) =>
  traced("LeftOvers.sweep")(function* (attempt: Abandoned) {
    const of = lineageOf(attempt, stateDir)
    const survivors = yield* climb({ find: () => find(of), group: undefined }, ladder)
    if (survivors.length === 0) {
      EscapeRecord.forget(stateDir, attempt.attemptId)
      yield* removeScratch(stateDir, attempt.attemptId)
    }
    return survivors
  })

export const layer: Layer.Layer<LeftOvers, never, RuntimeConfig> = Layer.effect(
  LeftOvers,
  Effect.map(RuntimeConfig, ({ stateDir }) => ({ sweep: sweepLeftovers(stateDir) }))
)
