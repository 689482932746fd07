import { cp } from "node:fs/promises"
import { Schema } from "effect"
import { Place, type RunOptions, type Told } from "../support/binary.ts"
import { check } from "./Checker.ts"
import { Recorder } from "./Recorder.ts"
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

/** A place whose adapter bears witness, with a record of everything that its commands told. */
export class Scene {
  private constructor(
    readonly place: Place,
    readonly recorder: Recorder
  ) {}

  /** `work` is what the adapter does, in shell; `config` is what differs from the usual configuration. */
  static async make(work?: string, config: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
    const place = await Place.make({
      config: {
        retryBackoffSeconds: 1,
        adapters: { local: { mode: "script", command: "./witness.sh", timeoutMs: 30_000 } },
        ...config
      },
      files: { "witness.sh": witnessScript(work) }
    })
    return new Scene(place, new Recorder(place.path("facts.jsonl")))
  }

  /** Runs a command and records what it told, also when it was killed. */
  async run(args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Told> {
    const told = await this.place.run(args, options)
    this.recorder.heard(told.stdout)
    return told
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

  /** What breaks a promise now; nobody may be at work. */
  check(): ReadonlyArray<string> {
    return check({
      database: this.place.path("state", "runtime.db"),
      artifacts: this.place.path("state", "artifacts"),
      facts: this.recorder.facts,
      seen: sightings(this.place.path("state", WITNESS)),
      atRest: true
    })
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
