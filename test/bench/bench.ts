import { Database } from "bun:sqlite"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Place } from "../support/binary.ts"
import { idle, latencies, memory, memoryBefore, spawns, stop, throughput } from "./Dispatch.ts"
import { Floor } from "./Floor.ts"
import { contest, elapsed, type Line, print } from "./Measure.ts"
import { Queue } from "./Queue.ts"
import { mask, OUTPUTS, ROUND_MIB, search } from "./Redaction.ts"

// `npm run bench [enqueue | claim | first | counts | start | redact | dispatch | memory]`: ratios against the floor of the same machine at the same time.
// Read the ratios: the absolute figures move with the machine by a factor of three.

const JOBS = 200
const ROUNDS = 5

const inFolder = async <A>(program: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), "agent-runtime-bench-"))
  try {
    return await program(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const claim = (name: string, ready: number, delayed: number): Promise<Line> =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    const floor = new Floor(join(folder, "floor.db"))
    const line = await contest({
      name,
      perRound: JOBS,
      rounds: ROUNDS,
      before: () => queue.fill(ready, delayed),
      program: () => queue.work(JOBS),
      floorBefore: () => floor.fill(ready, delayed),
      floor: () => floor.work(JOBS)
    })
    await queue.close()
    floor.close()
    return line
  })

const claims = async () => {
  const lines = [
    await claim("1,000 queued", 1_000, 0),
    await claim("100,000 queued", 100_000, 0),
    await claim("1,000,000 queued", 1_000_000, 0),
    await claim("1,000 due among 1,000,000 delayed", 1_000, 1_000_000)
  ]
  print("claim + settle (two commits, FULL)", lines)
}

const enqueues = () =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    const floor = new Floor(join(folder, "floor.db"))
    const line = (how: "one by one" | "at once") =>
      contest({
        name: how,
        perRound: JOBS,
        rounds: ROUNDS,
        program: () => queue.enqueue(JOBS, how),
        floor: () => floor.enqueue(JOBS, how)
      })
    print(`enqueue ${JOBS} (FULL; ours with its event)`, [await line("one by one"), await line("at once")])
    await queue.close()
    floor.close()
  })

/** The first claim of a store that was opened just now: nothing of the queue has been read before. */
const first = () =>
  inFolder(async (folder) => {
    const path = join(folder, "queue.db")
    const filled = await Queue.open(path)
    filled.fill(MILLION)
    await filled.close()
    const times: Array<number> = []
    for (let round = 0; round < 11; round++) {
      const queue = await Queue.open(path)
      times.push(await elapsed(() => queue.work(1)))
      await queue.close()
    }
    console.log(`first claim + settle at 1,000,000 queued: median ${quantile(times, 0.5)} ms\n`)
  })

const MILLION = 1_000_000

const counts = () =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    queue.fill(1_000_000)
    const db = new Database(join(folder, "queue.db"), { readonly: true })
    const read = db.query("SELECT status, n FROM task_counts")
    const grouped = db.query("SELECT status, count(*) FROM tasks GROUP BY status")
    const line = await contest({
      name: "counts at 1,000,000",
      rounds: 50,
      program: () => queue.counts(),
      floor: () => read.all()
    })
    print("counts (floor: one read of a counter table)", [line])
    console.log(`counting the rows themselves: ${(await elapsed(() => grouped.all())).toFixed(0)} ms\n`)
    db.close()
    await queue.close()
  })

const bun = process.execPath

const spawned = async (command: ReadonlyArray<string>, cwd: string, env: Record<string, string>) => {
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "ignore", stderr: "ignore" })
  const code = await child.exited
  if (code !== 0) throw new Error(`${command.join(" ")} exited ${code}`)
}

const starts = async () => {
  const place = await Place.make()
  try {
    await place.run(["intake", "--json", '{"kind":"note","source":"bench","payload":{}}'])
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: place.folder,
      AGENT_RUNTIME_CONFIG: place.path("runtime.json")
    }
    const read = `new (require("bun:sqlite").Database)("state/runtime.db", { readonly: true }).query("SELECT status, n FROM task_counts").all()`
    const floor = () => spawned([bun, "-e", read], place.folder, env)
    const line = (name: string, ...args: ReadonlyArray<string>) =>
      contest({
        name,
        rounds: 21,
        program: () => spawned([place.program, ...args], place.folder, env),
        floor
      })
    print("process, start to exit (floor: bun -e with one SQLite read)", [
      await line("status", "status"),
      await line("--version", "--version"),
      await line("--help", "--help")
    ])
  } finally {
    await place.remove()
  }
}

const redactions = async () => {
  const lines: Array<Line> = []
  for (const [name, piece] of Object.entries(OUTPUTS))
    lines.push(await contest({ name, rounds: 5, program: () => mask(piece), floor: () => search(piece) }))
  print(`masking ${ROUND_MIB} MiB, five values (floor: a search for the plain values)`, lines)
}

const quantile = (values: ReadonlyArray<number>, part: number): string =>
  ([...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0).toFixed(1)

/** The resident dispatcher of the compiled binary. */
const dispatches = async () => {
  const { toChild, toClaim } = await latencies(200)
  for (const [what, values] of [
    ["claim", toClaim],
    ["child's start", toChild]
  ] as const)
    console.log(
      `another process's commit to the ${what}: median ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms`
    )
  const { hasWritten, share } = await idle(20)
  console.log(
    `idle: ${(share * 100).toFixed(2)} % of a core, ${hasWritten ? "WRITES" : "no write"} to the database`
  )
  console.log(`SIGTERM while idle: ended after ${(await stop()).toFixed(0)} ms\n`)
  const lines: Array<Line> = []
  for (const concurrency of [1, 10]) {
    const ours = await throughput(concurrency, NO_OPS)
    const floor = await spawns(concurrency, NO_OPS)
    const rate = (ms: number) => `${((NO_OPS * 1_000) / ms).toFixed(1)} /s`
    lines.push({
      name: `${concurrency} at once`,
      ours: rate(ours),
      floor: rate(floor),
      ratio: (floor / ours).toFixed(3)
    })
  }
  print("no-op tasks, bundle and evidence on disk (floor: the bare child)", lines)
}

const NO_OPS = 100

/** Ten thousand tasks; not a part of the whole, for it takes minutes. */
const memories = async () => {
  const sizes = await memory(10, 1_000)
  console.log(`resident memory before 1,000,000 queued: ${(await memoryBefore(MILLION)).toFixed(0)} MiB`)
  console.log(
    `resident memory after each 1,000 tasks: ${sizes.map((size) => size.toFixed(0)).join(", ")} MiB\n`
  )
}

const benches = {
  enqueue: enqueues,
  claim: claims,
  first,
  counts,
  start: starts,
  redact: redactions,
  dispatch: dispatches
}
const wanted = process.argv.slice(2)
for (const [name, bench] of Object.entries(benches))
  if (wanted.length === 0 || wanted.includes(name)) await bench()
if (wanted.includes("memory")) await memories()
