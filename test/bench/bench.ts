import { Database } from "bun:sqlite"
import { join } from "node:path"
import { killChildrenOnSignals } from "./Children.ts"
import { compare } from "./Compare.ts"
import { idle, latencies, memory, memoryBefore, removeEnded, spawns, stop, throughput } from "./Dispatch.ts"
import { requests } from "./Http.ts"
import { contest, elapsed, type Line, line, print } from "./Measure.ts"
import { inFolder } from "./Peers.ts"
import { Queue } from "./Queue.ts"
import { mask, OUTPUTS, ROUND_MIB, search } from "./Redaction.ts"
import { starts } from "./Start.ts"
import { claims, enqueues, firsts } from "./Store.ts"
import { quantile } from "./Table.ts"

// `npm run bench` compares with the floor and the peers in one table (Compare.ts); `-- --quick` in a few minutes;
// `-- --only=WORDS` the rows with these words.
// `npm run bench enqueue | claim | first | counts | start | redact | http | dispatch | memory`: a part, against the floor of
// the same machine at the same time. Read the ratios: the absolute figures move with the machine by a factor of three.

const JOBS = 200
const ROUNDS = 5
const MILLION = 1_000_000

const claim = async () =>
  print("claim + settle (two commits, FULL)", [
    line("1,000 queued", await claims(1_000, 0, ROUNDS)),
    line("100,000 queued", await claims(100_000, 0, ROUNDS)),
    line("1,000,000 queued", await claims(MILLION, 0, ROUNDS)),
    line("1,000 due among 1,000,000 delayed", await claims(1_000, MILLION, ROUNDS))
  ])

const enqueue = async () =>
  print(`enqueue ${JOBS} (FULL; ours with its event)`, [
    line("one by one", await enqueues(JOBS, "one by one", ROUNDS)),
    line("at once", await enqueues(JOBS, "at once", ROUNDS))
  ])

const first = async () =>
  console.log(
    `first claim + settle at 1,000,000 queued: median ${shown(await firsts(MILLION, 11), 0.5)} ms\n`
  )

const counts = () =>
  inFolder(async (folder) => {
    const queue = await Queue.open(join(folder, "queue.db"))
    queue.fill(MILLION)
    const db = new Database(join(folder, "queue.db"), { readonly: true })
    const read = db.query("SELECT status, n FROM task_counts")
    const grouped = db.query("SELECT status, count(*) FROM tasks GROUP BY status")
    const program = () => queue.counts()
    print("counts (floor: one read of a counter table)", [
      await contest({ name: "counts at 1,000,000", rounds: 50, program, floor: () => read.all() })
    ])
    console.log(`counting the rows themselves: ${(await elapsed(() => grouped.all())).toFixed(0)} ms\n`)
    db.close()
    await queue.close()
  })

const start = async () => {
  const commands = ["status", "--version", "--help"]
  const all = await starts(commands, 21)
  print(
    "process, start to exit (floor: bun -e with one SQLite read)",
    all.map((figures, at) => line(commands[at] ?? "", figures))
  )
}

const redact = async () => {
  const lines: Array<Line> = []
  for (const [name, piece] of Object.entries(OUTPUTS))
    lines.push(await contest({ name, rounds: 5, program: () => mask(piece), floor: () => search(piece) }))
  print(`masking ${ROUND_MIB} MiB, five values (floor: a search for the plain values)`, lines)
}

const shown = (values: ReadonlyArray<number>, part: number): string => quantile(values, part).toFixed(1)

/** The resident dispatcher of the compiled binary. */
const dispatch = async () => {
  const { toChild, toClaim } = await latencies(200)
  for (const [what, values] of [
    ["claim", toClaim],
    ["child's start", toChild]
  ] as const)
    console.log(
      `another process's commit to the ${what}: median ${shown(values, 0.5)} ms, p99 ${shown(values, 0.99)} ms`
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

/** Ten thousand tasks, and a million before one dispatcher. */
const memories = async () => {
  const sizes = await memory(10, 1_000)
  console.log(`resident memory before 1,000,000 queued: ${(await memoryBefore(MILLION)).toFixed(0)} MiB`)
  console.log(
    `resident memory after each 1,000 tasks: ${sizes.map((size) => size.toFixed(0)).join(", ")} MiB\n`
  )
}

const benches = { enqueue, claim, first, counts, start, redact, http: requests, dispatch, memory: memories }

killChildrenOnSignals()
const words = process.argv.slice(2)
const isOption = (word: string) => word === "--quick" || word.startsWith("--only=")
const parts = words.filter((word) => !isOption(word))
const unknown = parts.find((part) => !Object.hasOwn(benches, part))
if (unknown !== undefined) {
  console.error(
    `bench: there is no part ${JSON.stringify(unknown)}; parts are ${Object.keys(benches).join(", ")}, and without one the table of all systems is made (--quick: in a few minutes; --only=WORDS: the rows with these words)`
  )
  process.exit(2)
}
try {
  if (parts.length === 0) {
    const only = words.find((word) => word.startsWith("--only="))
    await compare(words.includes("--quick"), only?.slice("--only=".length))
  }
  for (const [name, bench] of Object.entries(benches)) if (parts.includes(name)) await bench()
} finally {
  await removeEnded()
}
