import { Database } from "bun:sqlite"
import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import type { Place, PlaceOptions } from "../support/binary.ts"
import { Recorder } from "./Recorder.ts"

/** Adapters that do well and adapters that do what they should not. */
const SCRIPTS = {
  well: "sleep 0.1; echo done",
  failing: "echo no >&2; exit 1",
  deaf: "trap '' TERM; sleep 30 & wait; sleep 30",
  daemon: "setsid sleep 60 >/dev/null 2>&1 & echo left one behind",
  loud: "head -c 1000000 /dev/zero | tr '\\0' x; echo"
} as const
type Adapter = keyof typeof SCRIPTS

/** Days that finished work is kept where the soak is long enough to see it go: the least that is allowed. */
const KEPT_DAYS = 0.01
export const KEPT_MINUTES = KEPT_DAYS * 24 * 60

export const soakPlace = (prunes: boolean): PlaceOptions => ({
  config: {
    defaultAdapter: "well",
    maxAttempts: 2,
    retryBackoffSeconds: 1,
    dispatch: { concurrency: 3 },
    adapters: Object.fromEntries(
      Object.keys(SCRIPTS).map((id) => [
        id,
        { mode: "script", command: `./${id}.sh`, timeoutMs: id === "deaf" ? 1_000 : 20_000 }
      ])
    ),
    ...(prunes
      ? { retention: { completedDays: KEPT_DAYS, eventDays: KEPT_DAYS, artifactDays: KEPT_DAYS } }
      : {})
  },
  files: Object.fromEntries(Object.entries(SCRIPTS).map(([id, text]) => [`${id}.sh`, `#!/bin/sh\n${text}\n`]))
})

/** Every so many-th second something of this kind happens. */
const ODD: ReadonlyArray<readonly [every: number, adapter: Adapter]> = [
  [40, "deaf"],
  [15, "loud"],
  [10, "daemon"],
  [5, "failing"]
]
const adapterAt = (second: number): Adapter => ODD.find(([every]) => second % every === 0)?.[1] ?? "well"

const KILL_INTAKE_EVERY = 13
const STOP_EVERY = 30
const STOP_MS = 1_500
const READ_EVERY = 45
const READ_MS = 8_000
const TIDY_EVERY = 20

const Blocked = Schema.Struct({ tasks: Schema.Array(Schema.Struct({ task_id: Schema.String })) })

/** What happens in the seconds of a soak beside the dispatcher, and how often it did. */
export class SoakLoad {
  readonly happened: Record<string, number> = {}
  readonly recorder: Recorder
  private readonly underway = new Set<Promise<unknown>>()
  readonly broken: Array<string> = []

  constructor(
    readonly place: Place,
    readonly prunes: boolean
  ) {
    this.recorder = new Recorder(place.path("facts.jsonl"))
  }

  /** All that is due in a second of the soak. */
  second(second: number, pid: number): void {
    this.begin("task queued", this.queue(second))
    if (second % KILL_INTAKE_EVERY === 0) this.begin("intake killed", this.killIntake(second))
    if (second > 0 && second % STOP_EVERY === 0) this.begin("dispatcher stopped for 1.5 s", this.stop(pid))
    if (second > 0 && second % READ_EVERY === 0) this.begin("reader held for 8 s", this.read())
    if (second % TIDY_EVERY === 0)
      this.begin(this.prunes ? "blocked cancelled, pruned" : "blocked cancelled", this.tidy())
  }

  /** Waits for what has begun. */
  async rest(): Promise<void> {
    await Promise.all(this.underway)
  }

  private begin(what: string, program: Promise<unknown>): void {
    this.happened[what] = (this.happened[what] ?? 0) + 1
    const kept = program
      .catch((error: unknown) =>
        this.broken.push(`${what}: ${error instanceof Error ? error.message : error}`)
      )
      .finally(() => this.underway.delete(kept))
    this.underway.add(kept)
  }

  private intent(second: number): ReadonlyArray<string> {
    const intent = {
      kind: "soak",
      source: "soak",
      subject: `second ${second}`,
      payload: { second },
      requested_adapter: adapterAt(second)
    }
    return ["intake", "--json", JSON.stringify(intent)]
  }

  private async queue(second: number): Promise<void> {
    const told = await this.place.run(this.intent(second))
    if (told.code !== 0) throw new Error(`intake exited ${told.code ?? told.signal}: ${told.stderr}`)
    this.recorder.heard(told.stdout)
  }

  private async killIntake(second: number): Promise<void> {
    const child = this.place.start(this.intent(second))
    await pause((second * 7) % 60)
    child.kill("SIGKILL")
    const said = await new Response(child.stdout).text()
    await child.exited
    this.recorder.heard(said)
  }

  private async stop(pid: number): Promise<void> {
    process.kill(pid, "SIGSTOP")
    await pause(STOP_MS)
    process.kill(pid, "SIGCONT")
  }

  private async read(): Promise<void> {
    const db = new Database(this.place.path("state", "runtime.db"), { readonly: true })
    try {
      db.run("BEGIN")
      db.query("SELECT count(*) FROM tasks").get()
      await pause(READ_MS)
    } finally {
      db.close()
    }
  }

  private async tidy(): Promise<void> {
    const { tasks } = await this.place.read(Blocked, ["task-list", "--status", "blocked", "--limit", "50"])
    for (const { task_id } of tasks) await this.place.run(["task-cancel", task_id])
    if (this.prunes) await this.place.json(["prune"])
  }
}
