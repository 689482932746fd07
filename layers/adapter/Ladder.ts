import { Duration, Effect, Schedule } from "effect"
import { steadyMillis } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { ProcessFacts } from "./ProcTable.ts"

/** One step of ending processes: the signal that all of them get, and how long they have to go. */
export interface Rung {
  readonly signal: "SIGINT" | "SIGTERM" | "SIGKILL"
  readonly wait: Duration.DurationInput
}
export type Ladder = ReadonlyArray<Rung>

/** SPEC.md section 6: SIGTERM, 5 s, SIGKILL; what survives that for 10 s is named in the attempt. */
export const usualLadder: Ladder = [
  { signal: "SIGTERM", wait: "5 seconds" },
  { signal: "SIGKILL", wait: "10 seconds" }
]

/** What is to be ended: `find` answers the processes that still live; `group` is killed as one at the end. */
export interface Target {
  readonly find: () => ReadonlyArray<ProcessFacts>
  readonly group: number | undefined
}

// Ends are mostly quick: look soon at first, then no more than 40 times a second.
const LOOKING = Schedule.exponential("2 millis").pipe(Schedule.either(Schedule.spaced("25 millis")))

const tell = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended between the look and the signal, or belongs to somebody else: the next look tells which.
  }
}

const nameOf = ({ pid, startTime }: ProcessFacts): string => `${pid}:${startTime}`

// A process that appears during the wait is its parent's way of tidying up and is left to it; without a
// living parent in the tree it has nobody who will end it.
const ask = (target: Target, signal: NodeJS.Signals, told: Set<string>): ReadonlyArray<ProcessFacts> => {
  const left = target.find()
  const living = new Set(left.map(({ pid }) => pid))
  const first = told.size === 0
  for (const process of left) {
    if (told.has(nameOf(process)) || (!first && living.has(process.parent))) continue
    told.add(nameOf(process))
    tell(process.pid, signal)
    if (process.stopped) tell(process.pid, "SIGCONT")
  }
  return left
}

// Whoever forks while being killed is killed again at once: five looks in a row outrun it, the group
// is killed in one stroke, and the rung comes back for what is left.
const force = (target: Target): ReadonlyArray<ProcessFacts> => {
  let left = target.find()
  for (let look = 0; look < 5 && left.length > 0; look++) {
    if (target.group !== undefined && left.some(({ group }) => group === target.group))
      tell(-target.group, "SIGKILL")
    for (const { pid } of left) tell(pid, "SIGKILL")
    left = target.find()
  }
  return left
}

const climbOne = (target: Target, { signal, wait }: Rung): Effect.Effect<ReadonlyArray<ProcessFacts>> =>
  Effect.flatMap(Effect.clock, (clock) => {
    const told = new Set<string>()
    const push = Effect.sync(() => (signal === "SIGKILL" ? force(target) : ask(target, signal, told)))
    // A schedule's own limit goes by the host's clock, which may be set meanwhile.
    const until = steadyMillis(clock) + Duration.toMillis(wait)
    return push.pipe(
      Effect.repeat({
        until: (left) => left.length === 0 || steadyMillis(clock) >= until,
        schedule: LOOKING
      }),
      // A process that forked and ended during a look may have hidden its child from it: look twice.
      Effect.zipRight(Effect.sync(target.find))
    )
  })

/**
 * Ends all processes of a target and answers when they are gone, or after the last rung's wait with those
 * that survived, as `pid (command)`. Bounded by the rungs' waits even where it cannot be interrupted.
 */
export const climb = traced("Ladder.climb")(function* (target: Target, ladder: Ladder) {
  let left = yield* Effect.sync(target.find)
  for (const rung of ladder) {
    if (left.length === 0) break
    left = yield* climbOne(target, rung)
  }
  return left.map(({ pid, command }) => `${pid} (${command})`)
})
