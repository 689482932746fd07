import { Schema } from "effect"
import { Place, type PlaceOptions, type RunOptions, type Told } from "../support/binary.ts"
import { type Attempt, Shown, type Task } from "./wire.ts"

/** Runs a test body in a throw-away folder of its own and removes it afterwards. */
export const inPlace = async <A>(options: PlaceOptions, body: (place: Place) => Promise<A>): Promise<A> => {
  const place = await Place.make(options)
  try {
    return await body(place)
  } finally {
    await place.remove()
  }
}

/** The configuration of one script adapter `local`, whose text is in `run.sh`, and changes to the rest. */
export const scripted = (
  script: string,
  adapter: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, unknown>> = {}
): PlaceOptions => ({
  config: {
    adapters: { local: { mode: "script", command: "./run.sh", timeoutMs: 30_000, ...adapter } },
    ...config
  },
  files: { "run.sh": `#!/bin/sh\n${script}\n` }
})

/** A script that prints this as its answer. */
export const saying = (answer: unknown): string =>
  `cat <<'ANSWER'\n${typeof answer === "string" ? answer : JSON.stringify(answer)}\nANSWER`

/** A completed outcome that claims what is given. */
export const claims = (claim: Readonly<Record<string, unknown>> = {}) => ({
  status: "completed",
  operator_summary: "It is done.",
  machine_status: "ok",
  ...claim
})

/** Queues an intent and answers its task's id. */
export const queue = async (
  place: Place,
  intent: Readonly<Record<string, unknown>> = {},
  options: RunOptions = {}
): Promise<string> => {
  const document = JSON.stringify({ kind: "note", source: "e2e", payload: {}, ...intent })
  const args = document.length < 100_000 ? ["--json", document] : ["-"]
  const stdin = document.length < 100_000 ? {} : { stdin: document }
  const Queued = Schema.Struct({ task_id: Schema.String })
  return (await place.read(Queued, ["intake", ...args], { ...stdin, ...options })).task_id
}

const Cycle = Schema.Struct({
  ok: Schema.Boolean,
  status: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.NullOr(Schema.String)),
  task_id: Schema.optional(Schema.String)
})
export type Cycle = typeof Cycle.Type

/** Runs one dispatch cycle. */
export const runOnce = (place: Place, options: RunOptions = {}): Promise<Cycle> =>
  place.read(Cycle, ["run-once"], options)

/** The whole story of one task, checked against its shape to the key. */
export const story = async (place: Place, id: string): Promise<typeof Shown.Type> =>
  Schema.decodeUnknownSync(Shown, { onExcessProperty: "error" })(await place.json(["task-show", id]))

/** Queues an intent, runs it, and answers what became of it. */
export const outcomeOf = async (
  place: Place,
  intent: Readonly<Record<string, unknown>> = {}
): Promise<{ readonly task: typeof Task.Type; readonly attempt: typeof Attempt.Type }> => {
  const id = await queue(place, intent)
  await runOnce(place)
  const { attempts, task } = await story(place, id)
  const attempt = attempts.at(-1)
  if (attempt === undefined) throw new Error(`task ${id} has no attempt`)
  return { task, attempt }
}

/** The one object that an error is with `-o json`. */
export const errorOf = (told: Told) =>
  Schema.decodeUnknownSync(
    Schema.parseJson(
      Schema.Struct({ error: Schema.String, code: Schema.String, hint: Schema.NullOr(Schema.String) })
    ),
    { onExcessProperty: "error" }
  )(told.stderr)

export interface Bare {
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly under?: ReadonlyArray<string>
  readonly stdin?: Uint8Array
}

/** Runs the binary with nothing but what is given: no configuration, no HOME, no PATH of its own. */
export const bare = async (
  program: string,
  args: ReadonlyArray<string>,
  { cwd, env, stdin, under }: Bare
): Promise<Told> => {
  const child = Bun.spawn([...(under ?? []), program, ...args], {
    cwd,
    env: { ...env },
    stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe"
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited
  ])
  return {
    code: child.exitCode,
    signal: child.signalCode === null ? null : String(child.signalCode),
    stdout,
    stderr
  }
}

/** Root may write anywhere; under this it may not. */
export const withoutOverride: ReadonlyArray<string> =
  process.getuid?.() === 0
    ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    : []
