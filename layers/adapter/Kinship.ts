import type { AttemptId } from "../../src/domain/Ids.ts"
import { brandOf, markerOf } from "./Brand.ts"
import type { ProcessFacts } from "./ProcTable.ts"

/** Everything by which the processes of one attempt are told from all others. */
export interface Lineage {
  readonly attemptId: AttemptId
  readonly brand: string
  readonly marker: string
  /** The direct child, which leads a session and a group of its own. */
  readonly root: { readonly pid: number; readonly startTime: string } | undefined
  /** Processes that are older, in ticks since boot, do not belong to it. */
  readonly since: number
  /**
   * Whether a group is still the root's when the root itself is gone: yes while its dispatcher watches,
   * no for the attempt of a dead one, where the number may have been given to somebody else meanwhile.
   */
  readonly groupOutlivesRoot: boolean
  /** Descendants met so far: start time by pid. */
  readonly seen: Map<number, string>
}

/** How a process is looked at more closely; each look costs a read. */
export interface Looks {
  readonly brand: (process: ProcessFacts) => string
  readonly marked: (process: ProcessFacts, marker: string) => boolean
}

export const lineage = (
  attemptId: AttemptId,
  facts: Pick<Lineage, "root" | "since" | "groupOutlivesRoot" | "seen">
): Lineage => ({ attemptId, brand: brandOf(attemptId).toString(), marker: markerOf(attemptId), ...facts })

type Table = ReadonlyMap<number, ProcessFacts>

// This process and those that it lives in are never part of an attempt that it looks after.
const untouchable = (table: Table, self: number): ReadonlySet<number> => {
  const pids = new Set([0, 1, self])
  for (let at = table.get(self); at !== undefined && !pids.has(at.parent); at = table.get(at.parent))
    pids.add(at.parent)
  return pids
}

const groupIsOurs = (table: Table, of: Lineage): boolean => {
  if (of.root === undefined) return false
  const leader = table.get(of.root.pid)
  return leader === undefined ? of.groupOutlivesRoot : leader.startTime === of.root.startTime
}

type Children = ReadonlyMap<number, ReadonlyArray<ProcessFacts>>

// Each process is come to once, however long the chains are that an attempt makes of its own.
const withDescendants = (children: Children, kin: Set<number>, barred: ReadonlySet<number>): void => {
  const parents = [...kin]
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop())
    for (const { pid } of children.get(parent) ?? []) {
      if (kin.has(pid) || barred.has(pid)) continue
      kin.add(pid)
      parents.push(pid)
    }
}

const byAge = (one: ProcessFacts, other: ProcessFacts): number =>
  one.ticks - other.ticks || one.pid - other.pid

/**
 * The processes of an attempt in this table, zombies included: its group and session, those met before
 * (same pid and same start), those that bear its brand or its marker, and all descendants of any of them. The oldest
 * first: a shell that is told to end after its child remarks upon the child's death.
 */
export const kin = (table: Table, of: Lineage, looks: Looks, self: number): ReadonlyArray<ProcessFacts> => {
  const barred = untouchable(table, self)
  const children = Map.groupBy(table.values(), ({ parent }) => parent)
  const found = new Set<number>()
  const group = groupIsOurs(table, of) ? of.root?.pid : undefined
  for (const process of table.values()) {
    const near = group !== undefined && (process.group === group || process.session === group)
    if ((near || of.seen.get(process.pid) === process.startTime) && !barred.has(process.pid))
      found.add(process.pid)
  }
  withDescendants(children, found, barred)
  for (const process of table.values()) {
    if (found.has(process.pid) || barred.has(process.pid) || process.ticks < of.since) continue
    if (looks.brand(process) === of.brand || looks.marked(process, of.marker)) found.add(process.pid)
  }
  withDescendants(children, found, barred)
  return [...table.values()].filter((process) => found.has(process.pid)).sort(byAge)
}
