import { join } from "node:path"
import { Floor } from "./Floor.ts"
import { elapsed, type Figures, figures } from "./Measure.ts"
import { inFolder } from "./Peers.ts"
import { Queue } from "./Queue.ts"

// The Store alone against the floor: the statements, events and attempts of the product, but no dispatcher, no bundle,
// no child. Both are in this process and measured in turns.

const JOBS = 200

/** Claim and settle, two commits, with so many waiting. */
export const claims = (ready: number, delayed: number, rounds: number): Promise<Figures> =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    const floor = new Floor(join(folder, "floor.db"))
    const measured = await figures({
      perRound: JOBS,
      rounds,
      before: () => queue.fill(ready, delayed),
      program: () => queue.work(JOBS),
      floorBefore: () => floor.fill(ready, delayed),
      floor: () => floor.work(JOBS)
    })
    await queue.close()
    floor.close()
    return measured
  })

/** Enqueues so many: each in a commit of its own, or all in one; ours with their events. */
export const enqueues = (jobs: number, how: "one by one" | "at once", rounds: number): Promise<Figures> =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    const floor = new Floor(join(folder, "floor.db"))
    const measured = await figures({
      perRound: jobs,
      rounds,
      program: () => queue.enqueue(jobs, how),
      floor: () => floor.enqueue(jobs, how)
    })
    await queue.close()
    floor.close()
    return measured
  })

/** Milliseconds of the first claim + settle of a store that was opened just now: nothing has been read before. */
export const firsts = (ready: number, rounds: number): Promise<ReadonlyArray<number>> =>
  inFolder(async (folder) => {
    const path = join(folder, "queue.db")
    const filled = await Queue.open(path)
    filled.fill(ready)
    await filled.close()
    const times: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const queue = await Queue.open(path)
      times.push(await elapsed(() => queue.work(1)))
      await queue.close()
    }
    return times
  })
