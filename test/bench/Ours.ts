import { join } from "node:path"
import type { Cells, RowName, Run } from "./Compare.ts"
import { idle, latencies } from "./Dispatch.ts"
import { elapsed, type Figures, median } from "./Measure.ts"
import { floor, inFolder, phase } from "./Peers.ts"
import { bareChildren, before, drained, runOnce, sameProcess, where } from "./Pipeline.ts"
import { Queue } from "./Queue.ts"
import { drainMs, waited } from "./Rivals.ts"
import { starts } from "./Start.ts"
import { claims, enqueues, firsts } from "./Store.ts"
import { milliseconds, perSecond, ratio } from "./Table.ts"
import { told } from "./Where.ts"

// Our own rows: the Store alone, in turns with the floor in one process, and the whole pipeline of the compiled
// binary, with the floor's process before and after it.

const MILLION = 1_000_000

const storeCells = ({ floor, ours, ratio }: Figures): Cells => ({
  floor: { value: perSecond(floor) },
  store: { value: perSecond(ours), ratio }
})

const store = async (run: Run) => {
  const rounds = run.quick ? 5 : 11
  await run.measure("enqueue", ["floor", "store"], async () =>
    storeCells(await enqueues(200, "one by one", rounds))
  )
  await run.measure("enqueueMany", ["floor", "store"], async () =>
    storeCells(await enqueues(1_000, "at once", rounds))
  )
  const depths: ReadonlyArray<readonly [RowName, number, number]> = [
    ["at1k", 1_000, 0],
    ["at100k", 100_000, 0],
    ["at1M", MILLION, 0],
    ["delayed", 1_000, MILLION]
  ]
  for (const [row, ready, delayed] of depths)
    if (!run.quick || ready + delayed < MILLION)
      await run.measure(row, ["floor", "store"], async () => storeCells(await claims(ready, delayed, rounds)))
  if (run.quick) return
  await run.measure("first", ["store"], async () => ({
    store: { value: milliseconds(median(await firsts(MILLION, 7))) }
  }))
  await run.measure("counts", ["floor", "store"], () =>
    inFolder(async (folder) => {
      const file = join(folder, "queue.db")
      const queue = await Queue.open(file)
      queue.fill(MILLION)
      const times: Array<number> = []
      for (let time = 0; time < 50; time++) times.push(await elapsed(() => queue.counts()))
      await queue.close()
      return { store: { value: milliseconds(median(times)) } }
    })
  )
  await run.measure("counts", ["floor"], (limitMs) =>
    inFolder(async (folder) => {
      const ask = { file: join(folder, "queue.db"), ready: MILLION }
      await phase(floor, { ...ask, phase: "load" }, folder, limitMs)
      const { countsMs = 0, residentMiB = 0 } = await phase(
        floor,
        { ...ask, phase: "counts" },
        folder,
        limitMs
      )
      await run.measure("memory", ["floor"], async () => ({
        floor: { value: `${residentMiB.toFixed(0)} MiB` }
      }))
      return { floor: { value: milliseconds(countsMs), note: "the floor counts its rows" } }
    })
  )
}

/** The floor's two commits for each job, in a process of its own. */
const loop = (limitMs: number, forMs: number): Promise<number> =>
  inFolder(async (folder) => {
    const ask = { file: join(folder, "queue.db"), ready: 10_000, limitMs: forMs }
    await phase(floor, { ...ask, phase: "load" }, folder, limitMs)
    return (await phase(floor, { ...ask, phase: "work" }, folder, limitMs)).perSecond ?? 0
  })

const drains = async (run: Run) => {
  for (const [row, concurrency] of [
    ["drain1", 1],
    ["drain10", 10]
  ] as const)
    await run.measure(row, ["floor", "pipeline"], async (limitMs) => {
      const lowBefore = await loop(limitMs, 1_500)
      const bareBefore = await bareChildren(concurrency, 50)
      const ours = await drained(concurrency, 10_000, drainMs(run))
      const bare = (bareBefore + (await bareChildren(concurrency, 50))) / 2
      const low = (lowBefore + (await loop(limitMs, 1_500))) / 2
      const share = ratio(ours, low)
      return {
        floor: { value: perSecond(low) },
        pipeline: {
          value: perSecond(ours),
          ...(share === undefined ? {} : { ratio: share }),
          note: `each task of the pipeline has a child: bare children that Bun starts and waits for make ${perSecond(bare)} at concurrency ${concurrency}, of which ours is ${(ours / bare).toFixed(2)}`
        }
      }
    })
  await run.measure("drain1", ["where"], async () => {
    if (Bun.which("strace") === null) return { where: { notRun: "needs strace" } }
    return {
      where: {
        value: told(await where(run.quick ? 40 : 100)),
        note: "of a pass under strace, which makes what it traces slower"
      }
    }
  })
}

const pipeline = async (run: Run) => {
  await drains(run)
  await run.measure("other", ["pipeline"], async () => {
    const { toChild, toClaim } = await latencies(run.quick ? 40 : 200)
    await run.measure("toChild", ["pipeline"], async () => ({ pipeline: { value: waited(toChild) } }))
    return { pipeline: { value: waited(toClaim), note: "of the pipeline: to the claim" } }
  })
  await run.measure("same", ["pipeline"], async () => {
    const { toClaim } = await sameProcess(run.quick ? 20 : 100)
    return {
      pipeline: {
        value: waited(toClaim),
        note: "of the pipeline: POST to `up`, from the commit to the claim"
      }
    }
  })
  await run.measure("idle", ["pipeline"], async () => {
    const { hasWritten, residentMiB, share } = await idle(run.quick ? 5 : 20)
    await run.measure("idleMemory", ["pipeline"], async () => ({
      pipeline: { value: `${residentMiB.toFixed(0)} MiB` }
    }))
    return { pipeline: { value: `${(share * 100).toFixed(2)} %${hasWritten ? ", WRITES" : ""}` } }
  })
  await run.measure("version", ["floor", "pipeline"], async () => {
    const [version, status] = await starts(["--version", "status"], run.quick ? 7 : 21)
    const cells = (figures: Figures | undefined): Cells =>
      figures === undefined
        ? {}
        : {
            floor: {
              value: milliseconds(figures.floor),
              note: "the floor's start is `bun -e` with one SQLite read"
            },
            pipeline: { value: milliseconds(figures.ours), ratio: figures.ratio }
          }
    await run.measure("status", ["floor", "pipeline"], async () => cells(status))
    return cells(version)
  })
  if (run.quick) return
  await run.measure("at1M", ["pipeline"], async () => {
    const { perSecond: rate, residentMiB } = await before(MILLION, 5_000)
    await run.measure("memory", ["pipeline"], async () => ({
      pipeline: { value: `${residentMiB.toFixed(0)} MiB` }
    }))
    return { pipeline: { value: perSecond(rate) } }
  })
  await run.measure("first", ["pipeline"], async () => ({
    pipeline: {
      value: milliseconds(median(await runOnce(MILLION, 5))),
      note: "a process of `run-once`, from start to exit"
    }
  }))
}

/** Measures ours and puts its cells, and those of the floor, into the rows. */
export const rowsOfOurs = async (run: Run): Promise<void> => {
  await store(run)
  await pipeline(run)
}
