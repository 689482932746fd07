import { chmod, cp } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import { Place, type RunOptions, type Told } from "../support/binary.ts"
import { wrongIn } from "./Answers.ts"
import { beyondDisk } from "./Bounds.ts"
import { check, type Evidence } from "./Checker.ts"
import { LEAKING, SECRET } from "./Planted.ts"
import { Recorder } from "./Recorder.ts"
import { type Running, start } from "./Running.ts"
import { sightings, WITNESS, witnessScript } from "./Witness.ts"

const Status = Schema.parseJson(
  Schema.Struct({ status: Schema.optional(Schema.String), reason: Schema.optional(Schema.String) })
)
const Counts = Schema.Struct({ counts: Schema.Record({ key: Schema.String, value: Schema.Number }) })

/** The status (or the refusal) in what `run-once` printed; none when it printed no answer. */
export const statusOf = (told: Told): string => {
  if (told.stdout.trim() === "") return "none"
  const { status, reason } = Schema.decodeSync(Status)(told.stdout)
  return status ?? reason ?? "none"
}

/** Somebody who is at work gets on within this time, also on a host that has much else to do. */
const STANDS_STILL_MS = 60_000

export interface Stage {
  /** What differs from the usual configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly profile?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
}

/** The script that bears witness, as an adapter: it is given the planted secret. */
export const witnessAdapter = (settings: Readonly<Record<string, unknown>> = {}) => ({
  mode: "script",
  command: "./witness.sh",
  timeoutMs: 30_000,
  env: { TOKEN: { secretFile: "token" } },
  ...settings
})

/** A place whose adapter bears witness, with a record of everything that its commands told. */
export class Scene {
  private readonly wrong: Array<string> = []

  private constructor(
    readonly place: Place,
    readonly recorder: Recorder
  ) {}

  /** `work` is what the adapter does, in shell, after it has tried to leak the planted secret. */
  static async make(work = ":", { config = {}, files = {}, profile = {} }: Stage = {}): Promise<Scene> {
    const place = await Place.make({
      config: { retryBackoffSeconds: 1, adapters: { local: witnessAdapter() }, ...config },
      profile,
      files: { "witness.sh": witnessScript(`${LEAKING}\n${work}`), token: SECRET, ...files }
    })
    await chmod(place.path("token"), 0o600)
    return new Scene(place, new Recorder(place.path("facts.jsonl")))
  }

  /** Runs a command, records what it told, also when it was killed, and judges how it told it. */
  async run(args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Told> {
    const told = await this.place.run(args, options)
    this.heard(args, told, options.under !== undefined)
    return told
  }

  /** The same for a command that was started elsewhere; `bySignal` when it may have been killed. */
  heard(args: ReadonlyArray<string>, told: Told, bySignal: boolean): void {
    this.recorder.heard(told.stdout)
    this.wrong.push(...wrongIn(args, told, bySignal))
  }

  /** Starts a command that runs on: it is judged when it has ended, by a SIGKILL, too. */
  start(args: ReadonlyArray<string>, options: RunOptions = {}): Running {
    return start(this.place, args, options, (told, beyond) => {
      this.heard(args, told, true)
      this.wrong.push(...beyond.map((one) => `${args[0]}: ${one}`))
    })
  }

  /** Starts a resident dispatcher. */
  dispatch(options: RunOptions = {}): Running {
    return this.start(["dispatch"], options)
  }

  intake(subject: string, options: RunOptions = {}): Promise<Told> {
    const intent = { kind: "note", source: "faults", subject, payload: { text: subject } }
    return this.run(["intake", "--json", JSON.stringify(intent)], options)
  }

  async queue(count: number): Promise<void> {
    for (let number = 1; number <= count; number++) {
      const told = await this.intake(`task ${number}`)
      if (told.code !== 0) throw new Error(`intake exited ${told.code ?? told.signal}: ${told.stderr}`)
    }
  }

  runOnce(options: RunOptions = {}): Promise<Told> {
    return this.run(["run-once"], options)
  }

  /** Runs cycles until one is idle, at most `most`; answers what each said. */
  async drain(most: number): Promise<ReadonlyArray<string>> {
    const said: Array<string> = []
    while (said.length < most && said.at(-1) !== "idle") said.push(statusOf(await this.runOnce()))
    return said
  }

  /** Lets one dispatcher do all that is left, ends it, and checks: everything that may run must be done. */
  async rest(evidence: Partial<Evidence> = {}): Promise<ReadonlyArray<string>> {
    const dispatcher = this.dispatch()
    const left = await this.until(async () => {
      const left = await this.waiting()
      return { isSo: left === "", how: left }
    })
    // Where nothing was left to do it may not have begun: before that a signal ends it like any program.
    await dispatcher.says(/"Dispatching/)
    const { code, signal, stderr } = await dispatcher.end("SIGTERM")
    return [
      ...(left === undefined ? [] : [`for ${STANDS_STILL_MS} ms there is left: ${left}`]),
      ...(code === 0 ? [] : [`the dispatcher ended with ${signal ?? code}: ${stderr.slice(-400)}`]),
      ...this.check(evidence)
    ]
  }

  /** Waits until something is so; how it is instead when that has not changed for a minute. */
  async until(
    look: () => Promise<{ readonly isSo: boolean; readonly how: string }>
  ): Promise<string | undefined> {
    let now = await look()
    let late = performance.now() + STANDS_STILL_MS
    while (!now.isSo && performance.now() < late) {
      await pause(50)
      const next = await look()
      if (next.how !== now.how) late = performance.now() + STANDS_STILL_MS
      now = next
    }
    return now.isSo ? undefined : now.how
  }

  /** Waits until a dispatcher has completed so many tasks; what is wrong when it does not. */
  async completes(dispatcher: Running, tasks: number): Promise<ReadonlyArray<string>> {
    const instead = await this.until(async () => {
      const { blocked = 0, ...counts } = await this.counts()
      // A bundle that cannot be written blocks its task (SPEC.md section 4): its operator sees why, and retries.
      if (blocked > 0) await this.run(["task-retry", "--matching", "--status", "blocked"])
      const isSo = counts.completed === tasks || !dispatcher.isAlive()
      return { isSo, how: JSON.stringify({ blocked, ...counts }) }
    })
    return [
      ...(dispatcher.isAlive() ? [] : ["the dispatcher ended"]),
      ...(instead === undefined ? [] : [`not ${tasks} tasks are completed but ${instead}`])
    ]
  }

  /** What a dispatcher has still to do, in words; empty when nothing. */
  private async waiting(): Promise<string> {
    const { pending = 0, queued = 0, retryable_failure = 0, running = 0 } = await this.counts()
    return pending + queued + retryable_failure + running === 0
      ? ""
      : `${pending + queued} pending, ${retryable_failure} to be tried again, ${running} running`
  }

  /** What breaks a promise now; nobody may be at work, unless the evidence says otherwise. */
  check(evidence: Partial<Evidence> = {}): ReadonlyArray<string> {
    const { facts } = this.recorder
    const seen = sightings(this.place.path("state", WITNESS))
    const starts = seen.filter(({ what }) => what === "start").length
    return [
      ...this.wrong,
      ...beyondDisk(this.place.state, starts, facts.filter(({ told }) => told === "queued").length),
      ...check({
        database: this.database,
        artifacts: this.place.path("state", "artifacts"),
        facts,
        seen,
        atRest: true,
        secretless: this.place.state,
        ...evidence
      })
    ]
  }

  /** The database file. */
  get database(): string {
    return this.place.path("state", "runtime.db")
  }

  /** How many tasks are in each status; those in none are left out. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const { counts } = await this.place.read(Counts, ["status"])
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
  }

  /** Removes the folder; with a destination a copy stays there as evidence. */
  async end(keepAs?: string): Promise<void> {
    if (keepAs !== undefined) await cp(this.place.folder, keepAs, { recursive: true })
    await this.place.remove()
  }
}
