import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import { Place } from "../support/binary.ts"
import { check } from "./Checker.ts"
import { type Sample, slopeOf } from "./Slope.ts"
import { KEPT_MINUTES, SoakLoad, soakPlace } from "./SoakLoad.ts"

// One task a second with faults beside it: bun test/faults/soak.ts --minutes N. `npm run soak` builds the binary
// and runs it. What the dispatcher holds must not grow: its slopes are judged after a time of warming up.

const MIB = 1024 * 1024
const SAMPLE_EVERY_SECONDS = 2
const REST_WITHIN_MS = 60_000

const minutes = (() => {
  const [option, given, ...more] = process.argv.slice(2)
  const found = option === "--minutes" && more.length === 0 ? Number(given) : Number.NaN
  if (Number.isFinite(found) && found > 0) return found
  console.error("soak: expected --minutes N, a number above 0")
  process.exit(2)
})()

const seconds = Math.ceil(minutes * 60)
// Only a soak that outlasts what is kept can see the disk stay as it is.
const prunes = minutes >= 2.5 * KEPT_MINUTES
const warmUp = prunes ? KEPT_MINUTES * 60 + 60 : seconds / 4

const bytesBelow = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sum + bytesBelow(path)
    return sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
  }, 0)

const orNothing = <A>(look: () => A, instead: A): A => {
  try {
    return look()
  } catch {
    // What was there a moment ago may be gone.
    return instead
  }
}

const series = { memory: [], descriptors: [], wal: [], disk: [], "disk a task": [] } satisfies Record<
  string,
  Array<Sample>
> as Record<"memory" | "descriptors" | "wal" | "disk" | "disk a task", Array<Sample>>

/**
 * The fewest descriptors of a few looks: what an attempt has open while it runs is none that was left, and on a busy
 * machine more of the looks meet one.
 */
const fewestDescriptors = async (pid: number): Promise<number> => {
  let fewest = Number.POSITIVE_INFINITY
  for (let look = 0; look < 10; look++) {
    fewest = Math.min(fewest, readdirSync(`/proc/${pid}/fd`).length)
    await pause(40)
  }
  return fewest
}

const sample = async (place: Place, pid: number, second: number): Promise<void> => {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  const disk = orNothing(() => bytesBelow(place.state), series.disk.at(-1)?.value ?? 0)
  series.memory.push({ second, value: Number(resident) * 1024 })
  series.descriptors.push({ second, value: await fewestDescriptors(pid) })
  series.wal.push({ second, value: orNothing(() => statSync(join(place.state, "runtime.db-wal")).size, 0) })
  series.disk.push({ second, value: disk })
  series["disk a task"].push({ second, value: disk / (second + 1) })
}

const Counts = Schema.Struct({ counts: Schema.Record({ key: Schema.String, value: Schema.Number }) })

const unfinished = async (place: Place): Promise<number> => {
  const { counts } = await place.read(Counts, ["status"])
  return (counts.queued ?? 0) + (counts.running ?? 0) + (counts.retryable_failure ?? 0)
}

const untilDone = async (place: Place): Promise<ReadonlyArray<string>> => {
  const late = performance.now() + REST_WITHIN_MS
  let left = await unfinished(place)
  while (left > 0 && performance.now() < late) {
    await pause(200)
    left = await unfinished(place)
  }
  return left === 0
    ? []
    : [`${left} tasks are not done ${REST_WITHIN_MS / 1000} s after the last one was queued`]
}

const JUDGED = [
  ["memory", 16 * MIB, MIB, "MiB"],
  ["descriptors", 4, 1, ""],
  // It is filled to 16 MiB (CHECKPOINT_PAGES), taken over into the database, and filled anew from its beginning.
  ["wal", 18 * MIB, MIB, "MiB"],
  // A short soak prunes nothing: then it is what a task leaves that must not grow.
  prunes ? (["disk", 16 * MIB, MIB, "MiB"] as const) : (["disk a task", 64 * 1024, 1024, "KiB"] as const)
] as const

const table = (): boolean => {
  const row = (cells: ReadonlyArray<string>) => console.log(cells.map((cell) => cell.padStart(14)).join(""))
  row(["", "first", "last", "most", "a minute", "over all", "allowed", ""])
  return JUDGED.map(([name, allowed, unit, word]) => {
    const found = slopeOf(
      series[name].filter(({ second }) => second >= warmUp),
      allowed
    )
    const told = (value: number) => `${(value / unit).toFixed(1)} ${word}`.trim()
    const { first, growth, isFlat, last, most, perMinute } = found
    row([name, ...[first, last, most, perMinute, growth, allowed].map(told), isFlat ? "flat" : "RISES"])
    return isFlat
  }).every((isFlat) => isFlat)
}

const place = await Place.make(soakPlace(prunes))
try {
  const load = new SoakLoad(place, prunes)
  const dispatcher = place.start(["dispatch", "--log-level", "none"])
  const began = performance.now()
  console.log(
    `soak: ${minutes} minutes, judged after ${Math.round(warmUp)} s; retention ${prunes ? "applied" : "off"}`
  )
  for (let second = 0; second < seconds && dispatcher.exitCode === null; second++) {
    load.second(second, dispatcher.pid)
    if (second % SAMPLE_EVERY_SECONDS === 0) await sample(place, dispatcher.pid, second)
    await pause(Math.max(0, began + (second + 1) * 1000 - performance.now()))
  }
  await load.rest()
  const isAlive = dispatcher.exitCode === null
  const broken = [
    ...load.broken,
    ...(isAlive ? await untilDone(place) : [await new Response(dispatcher.stderr).text()])
  ]
  if (isAlive) dispatcher.kill("SIGTERM")
  const code = await dispatcher.exited
  if (code !== 0 || !isAlive) broken.push(`the dispatcher ended with ${dispatcher.signalCode ?? code}`)
  const database = place.path("state", "runtime.db")
  const artifacts = place.path("state", "artifacts")
  // What was pruned cannot be checked against what clients were told.
  if (!prunes) broken.push(...check({ database, artifacts, facts: load.recorder.facts, atRest: true }))
  for (const [what, count] of Object.entries(load.happened))
    console.log(`${String(count).padStart(6)}  ${what}`)
  const isFlat = table()
  for (const one of broken) console.log(`broken: ${one}`)
  console.log(
    isFlat && broken.length === 0 ? "sound: all slopes are flat and every promise is kept" : "NOT SOUND"
  )
  process.exitCode = isFlat && broken.length === 0 ? 0 : 1
} finally {
  await place.remove()
}
