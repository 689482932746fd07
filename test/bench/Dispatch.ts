import { Database } from "bun:sqlite"
import { readFileSync, statSync } from "node:fs"
import { Effect, ManagedRuntime } from "effect"
import { file } from "../../layers/store/SqlStore.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { Place } from "../support/binary.ts"
import { fill, newTask } from "./Queue.ts"

const actor = { surface: "cli", name: "bench" } as const

/** Milliseconds since 1970 with a fraction, comparable with those of other processes. */
const wall = (): number => performance.timeOrigin + performance.now()

/** A measure that takes longer than any does is stuck. */
const PATIENCE_MS = 240_000

const ended: Array<Place> = []

/**
 * Removes the folders of all dispatchers that have ended. Not with each of them: ext4 gives an inode that was freed in
 * the last minutes to no new file and looks past each one, which makes every file of the next row dearer.
 */
export const removeEnded = () => Promise.all(ended.splice(0).map((place) => place.remove()))

/** A resident dispatcher of the compiled binary, in a folder of its own, fed from this process. */
export class Dispatching {
  private readonly runtime
  private readonly db: Database
  private readonly child

  private constructor(
    readonly place: Place,
    private readonly under: ReadonlyArray<string>
  ) {
    const database = place.path("state", "runtime.db")
    this.runtime = ManagedRuntime.make(file({ filename: database, durability: "full", ownReader: false }))
    this.db = new Database(database, { readonly: true })
    this.child = place.start(["dispatch", "--log-level", "error"], { under })
  }

  /** `command` is what the one adapter runs; `under` comes before the dispatcher (`strace ...`). */
  static async begin(
    concurrency: number,
    command: ReadonlyArray<string>,
    under: ReadonlyArray<string> = []
  ): Promise<Dispatching> {
    const [program, ...extraArgs] = command
    const place = await Place.make({
      config: {
        dispatch: { concurrency },
        adapters: { local: { mode: "script", command: program, extraArgs, timeoutMs: 30_000 } }
      }
    })
    await place.json(["status"])
    const dispatching = new Dispatching(place, under)
    await dispatching.until(() => dispatching.count("SELECT count(*) AS n FROM run_events") > 0)
    return dispatching
  }

  /** The dispatcher's own, whatever it runs under. */
  get pid(): number {
    const { pid } = this.child
    return this.under.length === 0
      ? pid
      : Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"), 10)
  }

  count(sql: string): number {
    return this.db.query<{ n: number }, []>(sql).get()?.n ?? 0
  }

  completed(): number {
    return this.count("SELECT n FROM task_counts WHERE status = 'completed'")
  }

  async until(isSo: () => boolean): Promise<void> {
    const began = performance.now()
    while (!isSo()) {
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`the dispatcher to get there within ${PATIENCE_MS / 1_000} s`)
      if (this.child.exitCode !== null) throw new Error(`the dispatcher exited ${this.child.exitCode}`)
      await Bun.sleep(2)
    }
  }

  /** Commits one task; answers its id and when the commit was done. */
  async add(): Promise<{ readonly id: string; readonly committed: number }> {
    const id = Bun.randomUUIDv7()
    await this.runtime.runPromise(
      Effect.gen(function* () {
        const store = yield* Store
        const at = yield* now
        yield* store.tasks.add(newTask(id, at), { at, actor })
      })
    )
    return { id, committed: wall() }
  }

  /** Commits many tasks at once. */
  fill(tasks: number): Promise<void> {
    return this.runtime.runPromise(
      Effect.gen(function* () {
        const store = yield* Store
        const at = yield* now
        const all = Array.from({ length: tasks }, () => newTask(Bun.randomUUIDv7(), at))
        yield* store.transact(
          "Bench.fill",
          Effect.forEach(all, (task) => store.tasks.add(task, { at, actor }), { discard: true })
        )
      })
    )
  }

  /** Puts many more into the queue than `fill` can in reasonable time. */
  flood(tasks: number): void {
    const db = new Database(this.place.path("state", "runtime.db"))
    db.run("PRAGMA busy_timeout = 5000")
    fill(db, 1, tasks, 0)
    db.close()
  }

  /** When a task was claimed, and what its adapter printed. */
  story(id: string): { readonly claimed: number; readonly printed: string } {
    const row = this.db
      .query<{ readonly started_at: string; readonly stdout_path: string }, [string]>(
        "SELECT started_at, stdout_path FROM attempts WHERE task_id = ?"
      )
      .get(id)
    if (row === null) throw new Error(`task ${id} was not claimed`)
    return {
      claimed: Date.parse(row.started_at),
      printed: readFileSync(this.place.path("state", "artifacts", row.stdout_path), "utf8")
    }
  }

  /** Seconds of CPU that the dispatcher has used (proc(5): utime and stime, in hundredths of a second). */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  /** Resident memory in MiB. */
  residentMiB(): number {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]
    return Number(kib) / 1024
  }

  /** When the database or its journal was last written. */
  lastWrite(): number {
    const times = ["runtime.db", "runtime.db-wal"].map(
      (name) => statSync(this.place.path("state", name)).mtimeMs
    )
    return Math.max(...times)
  }

  /** Ends the dispatcher and keeps its folder; nothing when it has ended. */
  async stop(): Promise<number> {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(this.pid, "SIGTERM")
    return this.child.exited
  }

  async end(): Promise<number> {
    const code = await this.stop()
    this.db.close()
    await this.runtime.dispose()
    ended.push(this.place)
    return code
  }
}

/** From a commit in this process to the claim, and to the first instruction of the child that tells the time. */
export const latencies = async (tasks: number) => {
  const dispatching = await Dispatching.begin(1, ["/bin/date", "+%s.%N"])
  const toClaim: Array<number> = []
  const toChild: Array<number> = []
  try {
    for (let task = 0; task < tasks; task++) {
      const { committed, id } = await dispatching.add()
      await dispatching.until(() => dispatching.completed() > task)
      const { claimed, printed } = dispatching.story(id)
      toClaim.push(claimed - committed)
      toChild.push(Number(printed) * 1000 - committed)
      // Long enough for the dispatcher to be asleep again, and never in step with its timers.
      await Bun.sleep(60 + (task % 17))
    }
  } finally {
    await dispatching.end()
  }
  return { toClaim, toChild }
}

/** Milliseconds that so many no-op tasks take from their one commit to the end of the last. */
export const throughput = async (concurrency: number, tasks: number): Promise<number> => {
  const dispatching = await Dispatching.begin(concurrency, ["/bin/true"])
  try {
    await dispatching.fill(tasks)
    const began = performance.now()
    await dispatching.until(() => dispatching.completed() === tasks)
    return performance.now() - began
  } finally {
    await dispatching.end()
  }
}

/** The floor of `throughput`: the same children, started and waited for by Bun alone. */
export const spawns = async (concurrency: number, tasks: number): Promise<number> => {
  const began = performance.now()
  let left = tasks
  const worker = async () => {
    while (left-- > 0)
      await Bun.spawn(["/bin/true"], { stdin: "ignore", stdout: "pipe", stderr: "pipe" }).exited
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return performance.now() - began
}

/** What a dispatcher with nothing to do costs: its share of one core, MiB, and whether it wrote to the database. */
export const idle = async (seconds: number) => {
  const dispatching = await Dispatching.begin(1, ["/bin/true"])
  try {
    // What the start left to do, the garbage collector's part too, is over by then.
    await Bun.sleep(10_000)
    const [cpu, written] = [dispatching.cpuSeconds(), dispatching.lastWrite()]
    await Bun.sleep(seconds * 1_000)
    const share = (dispatching.cpuSeconds() - cpu) / seconds
    const hasWritten = dispatching.lastWrite() !== written
    return { share, residentMiB: dispatching.residentMiB(), hasWritten }
  } finally {
    await dispatching.end()
  }
}

/** Resident memory in MiB after each so many of no-op tasks, ten at once. */
export const memory = async (rounds: number, tasks: number): Promise<ReadonlyArray<number>> => {
  const dispatching = await Dispatching.begin(10, ["/bin/true"])
  const sizes: Array<number> = []
  try {
    for (let round = 1; round <= rounds; round++) {
      await dispatching.fill(tasks)
      await dispatching.until(() => dispatching.completed() === round * tasks)
      sizes.push(dispatching.residentMiB())
    }
    return sizes
  } finally {
    await dispatching.end()
  }
}

/** Resident memory in MiB of a dispatcher that has so many tasks before it, after a hundred of them. */
export const memoryBefore = async (tasks: number): Promise<number> => {
  const dispatching = await Dispatching.begin(1, ["/bin/true"])
  try {
    dispatching.flood(tasks)
    await dispatching.until(() => dispatching.completed() >= 100)
    return dispatching.residentMiB()
  } finally {
    await dispatching.end()
  }
}

/** Milliseconds from SIGTERM to a dispatcher's end that has nothing to do. */
export const stop = async (): Promise<number> => {
  const dispatching = await Dispatching.begin(1, ["/bin/true"])
  const began = performance.now()
  await dispatching.end()
  return performance.now() - began
}
