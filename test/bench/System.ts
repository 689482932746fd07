import { writeSync } from "node:fs"

/** What a phase works on: about the payload of a bridge, with the number of the job when somebody asks for it. */
export interface Payload {
  readonly seq: number
  readonly [key: string]: string | number
}

/** A queue under comparison, opened on a folder of its own; a process runs one phase of it. */
export interface System {
  /** What is really in force, read back from its own connection: `wal/FULL durable:true`. */
  readonly settings: () => string | Promise<string>
  /** Adds jobs one by one; each is acknowledged before the next. Their numbers begin at `from`. */
  readonly add: (times: number, from?: number) => unknown
  /** Adds so many at once, as its own batch call does; absent where it has none. */
  readonly addMany?: (times: number) => unknown
  /** Not measured: makes so many jobs wait, ready and delayed, and lets go of the database. */
  readonly load: (ready: number, delayed: number) => unknown
  /** Works until it is stopped, or the process ends; `onJob` is called when a job's handler would begin. */
  readonly work: (concurrency: number, onJob: (seq: number) => void, pollMs: number | undefined) => unknown
  /** How many jobs are in each state, as it tells its users. */
  readonly counts: () => unknown
}

export interface Ask {
  readonly phase: keyof typeof phases
  readonly file: string
  readonly ready?: number
  readonly delayed?: number
  readonly concurrency?: number
  readonly pollMs?: number
  readonly times?: number
  readonly limitMs?: number
}

/** What a phase found; times in milliseconds, sizes in MiB. */
export interface Found {
  readonly settings: string
  readonly perSecond?: number
  readonly manyPerSecond?: number
  readonly firstMs?: number
  readonly countsMs?: number
  readonly residentMiB?: number
  readonly idleShare?: number
  /** When a job was acknowledged to its producer, or its handler began; by its number. */
  readonly acknowledged?: ReadonlyArray<number>
  readonly begun?: ReadonlyArray<number>
}

/** About 230 bytes as JSON, as a bridge's event has. */
export const FIELDS = {
  repository: "example/project",
  number: 4711,
  title: "A change that mends the thing that was broken",
  author: "somebody",
  url: "https://example.org/project/4711",
  summary: "It was broken, now it is whole; three files were touched."
}

export const payload = (seq: number): Payload => ({ seq, ...FIELDS })

const STEP = 20
const MANY = 1_000

/** Milliseconds since 1970 with a fraction, comparable with those of other processes. */
export const wall = (): number => performance.timeOrigin + performance.now()

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const middle = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** How often a second `step` does its work, from its repetition for so long; half as long before that for warmth. */
const rate = async (ms: number, perStep: number, step: () => unknown): Promise<number> => {
  const repeated = async (forMs: number) => {
    const began = performance.now()
    let done = 0
    do {
      await step()
      done += perStep
    } while (performance.now() - began < forMs)
    return (done * 1_000) / (performance.now() - began)
  }
  await repeated(ms / 2)
  return repeated(ms)
}

/**
 * Handler calls until `enough` or the limit, and the time to the first. Where there is work for the whole time, the
 * first third of it is for warmth and not counted.
 */
const handled = (system: System, ask: Ask, enough: number) =>
  new Promise<{ firstMs: number; perSecond: number }>((resolve) => {
    const began = performance.now()
    const limitMs = ask.limitMs ?? 1_000
    let first = 0
    let calls = 0
    let warm = { calls: 0, ms: 0 }
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      const ms = performance.now() - began
      const counted = calls > warm.calls ? warm : { calls: 0, ms: 0 }
      const perSecond = ((calls - counted.calls) * 1_000) / (ms - counted.ms)
      resolve({ firstMs: calls === 0 ? ms : first, perSecond })
    }
    // Asked in the handler as well: a loop that never waits lets no timer through.
    const onJob = () => {
      calls++
      const ms = performance.now() - began
      if (calls === 1) first = ms
      if (warm.ms === 0 && ms > limitMs / 3) warm = { calls, ms }
      if (calls >= enough || ms > limitMs) end()
    }
    setTimeout(end, limitMs)
    void Promise.resolve(system.work(ask.concurrency ?? 1, onJob, ask.pollMs))
  })

/** Adds jobs with a pause after each that is never in step with anybody's timers. */
const produce = async (system: System, times: number): Promise<ReadonlyArray<number>> => {
  const acknowledged: Array<number> = []
  for (let seq = 0; seq < times; seq++) {
    await system.add(1, seq)
    acknowledged.push(wall())
    await sleep(50 + (seq % 17))
  }
  return acknowledged
}

const consume = (system: System, ask: Ask): Promise<ReadonlyArray<number>> =>
  new Promise((resolve) => {
    const times = ask.times ?? 1
    const begun: Array<number> = []
    let seen = 0
    const onJob = (seq: number) => {
      if (begun[seq] === undefined) seen++
      begun[seq] ??= wall()
      if (seen === times) resolve(begun)
    }
    setTimeout(() => resolve(begun), ask.limitMs ?? 30_000)
    void Promise.resolve(system.work(1, onJob, ask.pollMs))
    writeSync(1, "working\n")
  })

const residentMiB = () => process.memoryUsage.rss() / 1024 / 1024

const phases = {
  enqueue: async (system: System, ask: Ask) => {
    const ms = ask.limitMs ?? 1_000
    const perSecond = await rate(ms, STEP, () => system.add(STEP))
    const { addMany } = system
    return addMany === undefined
      ? { perSecond }
      : { perSecond, manyPerSecond: await rate(ms / 2, MANY, () => addMany(MANY)) }
  },
  load: async (system: System, ask: Ask) => {
    await system.load(ask.ready ?? 0, ask.delayed ?? 0)
    return {}
  },
  work: async (system: System, ask: Ask) => handled(system, ask, ask.ready ?? 1),
  counts: async (system: System) => {
    const times: Array<number> = []
    for (let time = 0; time < 7; time++) {
      const began = performance.now()
      await system.counts()
      times.push(performance.now() - began)
    }
    return { countsMs: middle(times), residentMiB: residentMiB() }
  },
  /** What it costs to have nothing to do, after what the start left to do is over. */
  idle: async (system: System, ask: Ask) => {
    void Promise.resolve(system.work(1, () => {}, ask.pollMs))
    await sleep(2_000)
    const [before, began] = [process.cpuUsage(), performance.now()]
    await sleep(ask.limitMs ?? 3_000)
    const { system: kernel, user } = process.cpuUsage(before)
    const idleShare = (kernel + user) / 1_000 / (performance.now() - began)
    return { idleShare, residentMiB: residentMiB() }
  },
  produce: async (system: System, ask: Ask) => ({ acknowledged: await produce(system, ask.times ?? 1) }),
  consume: async (system: System, ask: Ask) => ({ begun: await consume(system, ask) }),
  both: async (system: System, ask: Ask) => {
    const begun = consume(system, ask)
    return { acknowledged: await produce(system, ask.times ?? 1), begun: await begun }
  }
}

/** Runs the phase that the first argument asks for, prints what it found as the last line, and ends the process. */
export const runPhase = async (open: (file: string) => System | Promise<System>): Promise<void> => {
  const ask: Ask = JSON.parse(process.argv[2] ?? "{}")
  const system = await open(ask.file)
  const found = await phases[ask.phase](system, ask)
  const line = JSON.stringify({ settings: await system.settings(), ...found })
  // At once: a worker that never waits for anything leaves no turn to a callback.
  writeSync(1, `${line}\n`)
  process.exit(0)
}
