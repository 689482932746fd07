import { Context, Effect, Layer, Option, Schedule, type Scope } from "effect"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import type { AttemptId } from "../../src/domain/Ids.ts"
import { steadyMillis } from "../../src/domain/Time.ts"
import { held } from "../Held.ts"
import * as EscapeRecord from "./EscapeRecord.ts"
import { kin, type Lineage, type Looks, lineage } from "./Kinship.ts"
import { climb, type Ladder, usualLadder } from "./Ladder.ts"
import { hasInEnvironment, locksLimit, type ProcessFacts, processesFrom, processTable } from "./ProcTable.ts"
import { Subreaper } from "./Subreaper.ts"

/** The direct child of an attempt. `startTime` is the kernel's, see `ProcTable.ts`. */
export interface Root {
  readonly pid: number
  readonly startTime: string
}

export interface Tree {
  /**
   * Ends every process of the attempt and answers when all are gone: the direct child's session, marked
   * and branded processes, their descendants, adopted orphans. The answer names what survived SIGKILL, as
   * `pid (command)`. Called again, it ends what has appeared since.
   */
  readonly stop: (ladder?: Ladder) => Effect.Effect<ReadonlyArray<string>>
}

/**
 * Knows which processes of this host belong to which running attempt. All of them are watched by one fiber,
 * four times a second while an attempt runs and not at all otherwise.
 *
 * An orphan belongs to the attempt whose group, session, marker, brand or known descendant it is. One that
 * shows none of these is never signalled: it cannot be told from a child that another part of this process
 * started. To get there it must drop its environment, its session and its brand on purpose and outrun the
 * scan with a double fork; under systemd it ends with the unit.
 */
export class ProcessTrees extends Context.Tag("agent-runtime/ProcessTrees")<
  ProcessTrees,
  { readonly watch: (attemptId: AttemptId, root: Root) => Effect.Effect<Tree, never, Scope.Scope> }
>() {}

const SCAN_MS = 250
const SCAN = Schedule.spaced(SCAN_MS)
const MOST_LOOKS = 20

// The brand of a process never changes, so it is read once; the environment is read at the end only.
const makeLooks = () => {
  const brands = new Map<number, { readonly startTime: string; readonly brand: string }>()
  const brand = ({ pid, startTime }: ProcessFacts): string => {
    const known = brands.get(pid)
    if (known?.startTime === startTime) return known.brand
    const read = locksLimit(pid)
    brands.set(pid, { startTime, brand: read })
    return read
  }
  const prune = (table: ReadonlyMap<number, unknown>): void => {
    for (const pid of brands.keys()) if (!table.has(pid)) brands.delete(pid)
  }
  return {
    prune,
    quick: { brand, marked: () => false } satisfies Looks,
    thorough: {
      brand,
      marked: ({ pid }: ProcessFacts, marker: string) => hasInEnvironment(pid, marker)
    } satisfies Looks
  }
}

interface Watched {
  readonly of: Lineage
  /** Milliseconds by the clock that cannot be set. */
  readonly since: number
  /** What stands in the record file; undefined while there is none. */
  recorded: string | undefined
  complained: boolean
}

/**
 * What may belong to an attempt. Of one that has run for less than a scan's time all processes bear higher numbers than
 * its root, unless the numbering began anew meanwhile: in so short a time it cannot come round to them again.
 */
const tableFor = ({ of, since }: Watched, now: number): ReadonlyMap<number, ProcessFacts> => {
  const { root } = of
  const isYoung = root !== undefined && now - since < SCAN_MS
  return (isYoung ? processesFrom(root.pid) : undefined) ?? processTable()
}

const make = (stateDir: string) =>
  Effect.gen(function* () {
    const subreaper = yield* Subreaper
    const looks = makeLooks()
    const watched = new Set<Watched>()
    const busy = yield* Effect.makeLatch(false)

    const collect = (members: ReadonlyArray<ProcessFacts>): void => {
      const roots = new Set(Array.from(watched, ({ of }) => of.root?.pid))
      for (const { pid, parent, alive } of members)
        if (!alive && parent === process.pid && !roots.has(pid)) subreaper.reap(pid)
    }

    const note = (entry: Watched, members: ReadonlyArray<ProcessFacts>): void => {
      entry.of.seen.clear()
      for (const { pid, startTime, alive } of members)
        if (alive && pid !== entry.of.root?.pid) entry.of.seen.set(pid, startTime)
      collect(members)
    }

    const record = (entry: Watched, members: ReadonlyArray<ProcessFacts>): string | undefined => {
      const unbranded = members.filter(
        (member) => member.alive && looks.quick.brand(member) !== entry.of.brand
      )
      const pairs = new Map(unbranded.map(({ pid, startTime }) => [pid, startTime]))
      const line = Array.from(pairs, ([pid, start]) => `${pid}:${start}`).join()
      if (line === (entry.recorded ?? "")) return undefined
      entry.recorded = line
      return EscapeRecord.keep(stateDir, entry.of.attemptId, pairs)
    }

    const scan = Effect.gen(function* () {
      const table = processTable()
      looks.prune(table)
      for (const entry of watched) {
        const members = kin(table, entry.of, looks.quick, process.pid)
        note(entry, members)
        const problem = record(entry, members)
        if (problem === undefined || entry.complained) continue
        entry.complained = true
        yield* Effect.logWarning(
          `Escaped processes of attempt ${entry.of.attemptId} are not on record: ${problem}`
        )
      }
    })
    // A look that the host has no room for must not be the last one.
    const looked = Effect.catchAllDefect(scan, (defect) =>
      Effect.logDebug(`Processes could not be looked at: ${String(defect)}`)
    )
    yield* busy.whenOpen(looked).pipe(Effect.repeat(SCAN), Effect.forkScoped)

    // The table is not read at once: one that began another and ended meanwhile may have hidden it. As an adopted
    // orphan it is then a zombie that nobody but this process collects, which tells to look again.
    const find = (entry: Watched, now: number): ReadonlyArray<ProcessFacts> => {
      for (let look = 1; ; look++) {
        const members = kin(tableFor(entry, now), entry.of, looks.thorough, process.pid)
        note(entry, members)
        const living = members.filter(({ alive }) => alive)
        const ended = members.some(
          ({ alive, parent, pid }) => !alive && parent === process.pid && pid !== entry.of.root?.pid
        )
        if (living.length > 0 || !ended || look === MOST_LOOKS) return living
      }
    }

    const enter = (attemptId: AttemptId, root: Root) =>
      Effect.map(Effect.clock, (clock): Watched => {
        const since = steadyMillis(clock)
        const ticks = Number.parseInt(root.startTime, 10) || 0
        const of = lineage(attemptId, { root, since: ticks, groupOutlivesRoot: true, seen: new Map() })
        const entry = { of, since, recorded: undefined, complained: false }
        watched.add(entry)
        busy.unsafeOpen()
        return entry
      })

    const leave = (entry: Watched) =>
      Effect.sync(() => {
        watched.delete(entry)
        if (watched.size === 0) busy.unsafeClose()
        if (entry.recorded !== undefined) EscapeRecord.forget(stateDir, entry.of.attemptId)
      })

    const watch = (attemptId: AttemptId, root: Root) =>
      held(enter(attemptId, root), leave).pipe(
        Effect.map(
          (entry): Tree => ({
            stop: (ladder = usualLadder) =>
              Effect.flatMap(Effect.clock, (clock) =>
                climb({ find: () => find(entry, steadyMillis(clock)), group: root.pid }, ladder)
              )
          })
        )
      )

    if (Option.isSome(subreaper.missing))
      yield* Effect.logWarning(`Orphans of child processes are not adopted: ${subreaper.missing.value}.`)
    return { watch }
  })

/** Keeps its records of escaped processes below `<stateDir>/processes`. */
export const layerAt = (stateDir: string): Layer.Layer<ProcessTrees, never, Subreaper> =>
  Layer.scoped(ProcessTrees, make(stateDir))

export const layer: Layer.Layer<ProcessTrees, never, Subreaper | RuntimeConfig> = Layer.unwrapEffect(
  Effect.map(RuntimeConfig, ({ stateDir }) => layerAt(stateDir))
)
