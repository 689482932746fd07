import { expect, test } from "bun:test"
import { kin, lineage } from "../../../layers/adapter/Kinship.ts"
import type { ProcessFacts } from "../../../layers/adapter/ProcTable.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"

const SELF = 10
const start = (ticks: number): string => `${ticks}@boot`

const facts = (pid: number, parent: number, changes: Partial<ProcessFacts> = {}): ProcessFacts => ({
  pid,
  parent,
  group: pid,
  session: pid,
  alive: true,
  stopped: false,
  command: "sh",
  startTime: start(pid),
  ticks: pid,
  ...changes
})

const blind = { brand: () => "", marked: () => false }

const find = (
  table: ReadonlyArray<ProcessFacts>,
  changes: Partial<Parameters<typeof lineage>[1]> = {},
  looks: Parameters<typeof kin>[2] = blind
): ReadonlyArray<number> => {
  const of = lineage(AttemptId.make("a"), {
    root: { pid: 20, startTime: start(20) },
    since: 20,
    groupOutlivesRoot: true,
    seen: new Map(),
    ...changes
  })
  const all = [facts(1, 0), facts(5, 1), facts(SELF, 5), ...table]
  return kin(new Map(all.map((process) => [process.pid, process])), of, looks, SELF).map(({ pid }) => pid)
}

test("the group, the session and all descendants belong to an attempt, others do not", () => {
  const table = [
    facts(20, SELF),
    facts(21, 1, { group: 20 }),
    facts(22, 1, { session: 20 }),
    facts(23, 22),
    facts(24, 23),
    facts(30, SELF),
    facts(31, 30)
  ]
  expect(find(table)).toEqual([20, 21, 22, 23, 24])
})

test("a group is no longer the attempt's when its number names a younger leader", () => {
  const reused = [facts(20, 1, { startTime: start(99) }), facts(21, 20, { group: 20 })]
  expect(find(reused)).toEqual([])
})

test("a group without its leader counts while the dispatcher watches, not after its death", () => {
  const orphaned = [facts(21, 1, { group: 20 })]
  expect(find(orphaned)).toEqual([21])
  expect(find(orphaned, { groupOutlivesRoot: false })).toEqual([])
})

test("a descendant that was met counts by pid and start time alone", () => {
  const table = [facts(40, 1), facts(41, 40), facts(42, 1)]
  const seen = new Map([
    [40, start(40)],
    [42, start(7)]
  ])
  expect(find(table, { seen })).toEqual([40, 41])
})

test("brand and marker count for processes that are not older than the attempt", () => {
  const table = [facts(15, 1), facts(50, 1), facts(51, 50), facts(52, 1), facts(53, 1)]
  const { brand } = lineage(AttemptId.make("a"), {
    root: undefined,
    since: 0,
    groupOutlivesRoot: false,
    seen: new Map()
  })
  const looks = {
    brand: ({ pid }: ProcessFacts) => (pid === 50 || pid === 15 ? brand : "1"),
    marked: ({ pid }: ProcessFacts, marker: string) => pid === 52 && marker === "AGENT_RUNTIME_ATTEMPT_ID=a"
  }
  expect(find(table, {}, looks)).toEqual([50, 51, 52])
})

test("this process, its parents and pid 1 are never part of an attempt, whatever they look like", () => {
  const looks = { brand: () => "", marked: () => true }
  const seen = new Map([[SELF, start(SELF)]])
  expect(find([facts(60, SELF)], { since: 0, seen }, looks)).toEqual([60])
})

test("a parent comes before its children, whatever the order of the table: it is told first", () => {
  const table = [facts(24, 22), facts(22, 20), facts(23, 20, { ticks: 22 }), facts(20, SELF)]
  expect(find(table)).toEqual([20, 22, 23, 24])
})

test("a long chain of processes, the youngest listed first, is walked down once", () => {
  let passes = 0
  class Table extends Map<number, ProcessFacts> {
    override values() {
      passes++
      return super.values()
    }
  }
  const chain = Array.from({ length: 500 }, (_, index) => facts(20 + index, index === 0 ? SELF : 19 + index))
  const table = new Table([...chain, facts(SELF, 5)].reverse().map((process) => [process.pid, process]))
  const of = lineage(AttemptId.make("a"), {
    root: { pid: 20, startTime: start(20) },
    since: 20,
    groupOutlivesRoot: true,
    seen: new Map()
  })
  expect(kin(table, of, blind, SELF)).toEqual(chain)
  expect(passes).toBeLessThan(10)
})
