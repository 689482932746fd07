import { join } from "node:path"
import type { Cells, Run } from "./Compare.ts"
import {
  between,
  floor,
  inFolder,
  lacking,
  type Peer,
  type PeerName,
  peerNames,
  peers,
  phase,
  waits
} from "./Peers.ts"
import type { Ask, Found } from "./System.ts"
import { digits, milliseconds, perSecond, quantile, ratio } from "./Table.ts"

// The rows of the peers. For rates the floor's own process is measured before and after each of them; a rate is
// compared with the mean of both.

const SAMPLES = 100
const LATENCY_LIMIT_MS = 20_000

/** A measure of a peer, or the reason why it cannot be. */
const of = (
  run: Run,
  row: Parameters<Run["measure"]>[0],
  name: PeerName,
  program: Parameters<Run["measure"]>[2]
) =>
  run.measure(row, [name], async (limitMs) => {
    const lacks = lacking(peers[name])
    return lacks === undefined ? program(limitMs) : { [name]: { notRun: `needs ${lacks}` } }
  })

const fresh = (peer: Peer, ask: Omit<Ask, "file">, limitMs: number): Promise<Found> =>
  inFolder((folder) => phase(peer, { ...ask, file: join(folder, "queue.db") }, folder, limitMs))

/** Fills a queue in one process and measures it in another; with `counts` it is asked for those in a third. */
const filled = (peer: Peer, ask: Omit<Ask, "file" | "phase">, limitMs: number, withCounts = false) =>
  inFolder(async (folder) => {
    const file = join(folder, "queue.db")
    await phase(peer, { ...ask, phase: "load", file }, folder, limitMs)
    const counted = withCounts
      ? await phase(peer, { ...ask, phase: "counts", file }, folder, limitMs)
      : undefined
    const worked = await phase(peer, { ...ask, phase: "work", file }, folder, limitMs)
    return { ...counted, ...worked }
  })

/** The floor between the peers: each measure serves the one before and the one after. */
const floors = (measure: (limitMs: number) => Promise<Found>) => {
  let last: Found | undefined
  return {
    around: async (program: () => Promise<Found>, limitMs: number) => {
      const before = last ?? (await measure(limitMs))
      const found = await program()
      last = await measure(limitMs)
      const mean = (key: "perSecond" | "manyPerSecond") => ((before[key] ?? 0) + (last?.[key] ?? 0)) / 2
      return { found, floor: { perSecond: mean("perSecond"), manyPerSecond: mean("manyPerSecond") } }
    }
  }
}

const rateCell = (value: number, low: number) => {
  const share = ratio(value, low)
  return { value: perSecond(value), ...(share === undefined ? {} : { ratio: share }) }
}

const enqueues = async (run: Run) => {
  const ms = run.quick ? 700 : 2_000
  const low = floors((limitMs) => fresh(floor, { phase: "enqueue", limitMs: ms / 2 }, limitMs))
  for (const name of peerNames) {
    const many: Cells = {}
    await of(run, "enqueue", name, async (limitMs) => {
      const { found, floor } = await low.around(
        () => fresh(peers[name], { phase: "enqueue", limitMs: ms }, limitMs),
        limitMs
      )
      if (found.manyPerSecond !== undefined) many[name] = rateCell(found.manyPerSecond, floor.manyPerSecond)
      return { [name]: rateCell(found.perSecond ?? 0, floor.perSecond) }
    })
    if (many[name] !== undefined) await run.measure("enqueueMany", [name], async () => many)
    else if (!peers[name].hasBatch)
      await run.measure("enqueueMany", [name], async () => ({
        [name]: { notRun: "needs a batch call, which it does not have" }
      }))
  }
}

/**
 * How long the two drains of 10,000 are measured at most, the first third being for warmth: the pipeline's code is
 * compiled in some 700 tasks, and what asks for its best job by a scan is the quicker the fewer are left.
 */
export const drainMs = ({ quick }: Pick<Run, "quick">): number => (quick ? 3_000 : 20_000)

interface Depth {
  readonly row: "drain1" | "drain10" | "at1k" | "at100k" | "at1M" | "delayed"
  readonly ready: number
  readonly delayed: number
  readonly concurrency: number
}

const DEPTHS: ReadonlyArray<Depth> = [
  { row: "drain1", ready: 10_000, delayed: 0, concurrency: 1 },
  { row: "drain10", ready: 10_000, delayed: 0, concurrency: 10 },
  { row: "at1k", ready: 1_000, delayed: 0, concurrency: 1 },
  { row: "at100k", ready: 100_000, delayed: 0, concurrency: 1 },
  { row: "at1M", ready: 1_000_000, delayed: 0, concurrency: 1 },
  { row: "delayed", ready: 1_000, delayed: 1_000_000, concurrency: 1 }
]

const drains = async (run: Run) => {
  const limit = run.quick ? 1_500 : 5_000
  const low = floors((limitMs) => filled(floor, { ready: 10_000, limitMs: limit / 3 }, limitMs))
  for (const { concurrency, delayed, ready, row } of DEPTHS) {
    const isDeep = ready + delayed >= 1_000_000
    if (run.quick && isDeep) continue
    for (const name of peerNames) {
      let deep: Found | undefined
      await of(run, row, name, async (limitMs) => {
        const ask = { ready, delayed, concurrency, limitMs: row.startsWith("drain") ? drainMs(run) : limit }
        const { found, floor } = await low.around(
          () => filled(peers[name], ask, limitMs, row === "at1M"),
          limitMs
        )
        deep = found
        return { [name]: rateCell(found.perSecond ?? 0, floor.perSecond) }
      })
      if (row !== "at1M" || deep === undefined) continue
      const { countsMs = 0, firstMs = 0, residentMiB = 0 } = deep
      await run.measure("first", [name], async () => ({ [name]: { value: milliseconds(firstMs) } }))
      await run.measure("counts", [name], async () => ({ [name]: { value: milliseconds(countsMs) } }))
      await run.measure("memory", [name], async () => ({
        [name]: { value: `${residentMiB.toFixed(0)} MiB` }
      }))
    }
  }
}

/** Median and p99 of waits. */
export const waited = (all: ReadonlyArray<number>): string =>
  `${digits(quantile(all, 0.5))} / ${digits(quantile(all, 0.99))} ms`

/** How long jobs wait in a system that has nothing to do. */
const latency = (
  peer: Peer,
  where: "same" | "other",
  pollMs: number | undefined,
  limitMs: number,
  quick: boolean
) =>
  inFolder(async (folder) => {
    const file = join(folder, "queue.db")
    const ask = {
      file,
      times: quick ? SAMPLES / 4 : SAMPLES,
      limitMs: LATENCY_LIMIT_MS,
      ...(pollMs === undefined ? {} : { pollMs })
    }
    // Its tables are there before two processes ask for them.
    await phase(peer, { ...ask, phase: "load" }, folder, limitMs)
    if (where === "other") return between(peer, ask, folder, limitMs)
    const { acknowledged = [], begun = [] } = await phase(peer, { ...ask, phase: "both" }, folder, limitMs)
    return waits(acknowledged, begun)
  })

const latencies = async (run: Run) => {
  for (const [row, where, pollMs] of [
    ["same", "same", undefined],
    ["other", "other", undefined],
    ["otherTuned", "other", 5]
  ] as const) {
    await run.measure(row, ["floor"], async (limitMs) => {
      const all = await latency(floor, where, pollMs ?? 1, limitMs, run.quick)
      return {
        floor: { value: waited(all), note: `the floor polls PRAGMA data_version every ${pollMs ?? 1} ms` }
      }
    })
    for (const name of peerNames) {
      const peer: Peer = peers[name]
      if (pollMs !== undefined && !peer.polls) continue
      await of(run, row, name, async (limitMs) => {
        if (where === "other" && peer.alone !== undefined)
          return { [name]: { notRun: `needs ${peer.alone}` } }
        const all = await latency(peer, where, pollMs, limitMs, run.quick)
        return {
          [name]: {
            value: waited(all),
            ...(pollMs === undefined ? { note: `${peer.title} ${peer.looks}` } : {})
          }
        }
      })
    }
  }
}

const idles = async (run: Run) => {
  const limit = run.quick ? 1_500 : 5_000
  const measured = async (peer: Peer, pollMs: number | undefined, limitMs: number) =>
    fresh(peer, { phase: "idle", limitMs: limit, ...(pollMs === undefined ? {} : { pollMs }) }, limitMs)
  const share = (found: Found) => ({ value: `${((found.idleShare ?? 0) * 100).toFixed(2)} %` })
  const size = (found: Found) => ({ value: `${(found.residentMiB ?? 0).toFixed(0)} MiB` })
  await run.measure("idle", ["floor"], async (limitMs) => ({
    floor: {
      ...share(await measured(floor, 1, limitMs)),
      note: "the floor polls PRAGMA data_version every 1 ms"
    }
  }))
  await run.measure("idleTuned", ["floor"], async (limitMs) => {
    const found = await measured(floor, 5, limitMs)
    await run.measure("idleMemory", ["floor"], async () => ({ floor: size(found) }))
    return { floor: share(found) }
  })
  for (const name of peerNames) {
    const peer: Peer = peers[name]
    await of(run, "idle", name, async (limitMs) => {
      const found = await measured(peer, undefined, limitMs)
      await run.measure("idleMemory", [name], async () => ({ [name]: size(found) }))
      return { [name]: share(found) }
    })
    if (peer.polls)
      await of(run, "idleTuned", name, async (limitMs) => ({
        [name]: share(await measured(peer, 5, limitMs))
      }))
  }
}

/** Measures the peers and puts their cells into the rows. */
export const rowsOfPeers = async (run: Run): Promise<void> => {
  await enqueues(run)
  await drains(run)
  await latencies(run)
  await idles(run)
}
