import { expect } from "bun:test"
import { appendFile, watch } from "node:fs/promises"
import { Schema } from "effect"
import { queue, runOnce } from "../e2e/inPlace.ts"
import { Attempt, Task } from "../e2e/wire.ts"
import { House, processesWith } from "../support/agents.ts"
import { Place } from "../support/binary.ts"
import { isLong } from "../support/breadth.ts"
import type { Received } from "../support/models/server.ts"

/** The working directory of a stage's adapters, in its place. */
export const WORK = "work"

const Story = Schema.Struct({ task: Task, attempts: Schema.Array(Attempt) })

type Settings = Readonly<Record<string, unknown>>

/** What is to be tried: which scenario of the stubbed model, by which adapter. */
export interface Act {
  /** As it stands in the mark: `ok`, `write /some/file`. */
  readonly scenario: string
  readonly adapter: string
  readonly payload?: Settings
  readonly profile?: string
}

/** What an operator sees of an act, and what the model was asked in it. */
export interface Seen {
  readonly task: typeof Task.Type
  readonly attempt: typeof Attempt.Type
  readonly requests: ReadonlyArray<Received>
}

/** What a row of the table expects; what is not named is not compared. */
export interface Row {
  /** What happens, as the table's first column has it. */
  readonly when: string
  readonly act: Act
  readonly status: string
  readonly exit: string
  readonly retry: string
  /** What the attempt's reason begins with, or a pattern for where the words are another program's. */
  readonly reason: string | RegExp
  readonly attemptCount?: number
  /** Seconds after the attempt's end when the task is due again, give or take five. */
  readonly waits?: number
  readonly usage?: Settings
  readonly issues?: ReadonlyArray<string | RegExp>
  /** Stands for its kind in every run; the others are tried by the long suite. */
  readonly often?: boolean
}

/** The rows that this run tries: all of them in `npm run test:long`. */
export const ofThisRun = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  isLong ? rows : rows.filter(({ often }) => often === true)

/** What rows have in common, by what becomes of the task. */
export const ends = {
  done: { status: "completed", exit: "ok", retry: "none", reason: "completed: The stubbed model did it." },
  /** Another attempt after the back-off. */
  again: { status: "retryable_failure", exit: "error", retry: "retryable" },
  /** Waits for an operator, who is told the remedy. */
  operator: { status: "blocked", exit: "error", retry: "none" },
  unreadable: { status: "retryable_failure", exit: "ok", retry: "retryable" },
  late: { status: "retryable_failure", exit: "timeout", retry: "retryable" },
  canceled: { status: "operator_canceled", exit: "canceled", retry: "none", reason: "cancel: canceled by" },
  /** The work was claimed and is not there. */
  caught: { status: "blocked", exit: "ok", retry: "none", reason: "verification_failed:" }
} as const

export interface Setting {
  /** Whether all of it runs in a network of its own. */
  readonly apart: boolean
  readonly adapters: (house: House) => Readonly<Record<string, Settings>>
  readonly files?: Readonly<Record<string, string>>
  readonly config?: Settings
}

// One attempt ends before optimised code pays for itself: without it these tests take two thirds of the time.
const quick = { BUN_JSC_useDFGJIT: "0" }

const expected = (text: string | RegExp) =>
  typeof text === "string"
    ? expect.stringMatching(new RegExp(`^${RegExp.escape(text)}`))
    : expect.stringMatching(text)

/** One driver's tests: its place with an adapter for each need, the stub in a network of its own. */
export class Stage {
  private readonly lines: Array<string> = []

  private constructor(
    readonly house: House,
    readonly place: Place
  ) {}

  /** `adapters` are those of the configuration; failed attempts come back in an hour, after the tests. */
  static async open({ adapters, apart, config, files }: Setting): Promise<Stage> {
    const house = await House.open({ apart })
    const configured = adapters(house)
    const place = await Place.make({
      config: {
        adapters: configured,
        defaultAdapter: Object.keys(configured)[0],
        retryBackoffSeconds: 3600,
        ...config
      },
      profile: { context_policy: { max_prompt_chars: 400_000 } },
      files: { [`${WORK}/README.md`]: "A working directory.\n", ...files }
    })
    return new Stage(house, place)
  }

  async close(): Promise<void> {
    await this.place.remove()
    await this.house.close()
  }

  /** Queues the task of an act; the model server is asked about anew from here. */
  async queue({ adapter, payload, profile, scenario }: Act): Promise<string> {
    await this.house.forget()
    return queue(this.place, {
      subject: "a stubbed task",
      requested_adapter: adapter,
      ...(profile === undefined ? {} : { requested_profile: profile }),
      payload: { ...payload, message: `Do what the mark says. [[stub:${scenario}]]` }
    })
  }

  async seen(id: string): Promise<Seen> {
    const { attempts, task } = await this.place.read(Story, ["task-show", id])
    const attempt = attempts.at(-1)
    if (attempt === undefined) throw new Error(`task ${id} has no attempt`)
    return { task, attempt, requests: await this.house.requests() }
  }

  /** Queues the task, runs it in the network, and answers what became of it. */
  async play(act: Act, env: Readonly<Record<string, string>> = {}): Promise<Seen> {
    const id = await this.queue(act)
    const { task_id } = await runOnce(this.place, { under: this.house.within, env: { ...quick, ...env } })
    expect(task_id).toBe(id)
    return this.seen(id)
  }

  /** Queues the task, runs it, and cancels it by force from another process once its tool call runs. */
  async cancel(act: Act): Promise<Seen> {
    const id = await this.queue(act)
    const running = runOnce(this.place, { under: this.house.within, env: quick })
    const begun = act.scenario.startsWith("sleeptool ") ? this.runs(act) : this.house.asked(act.scenario)
    await Promise.race([begun, running])
    await this.place.json(["task-cancel", id, "--force", "--reason", "a test"])
    await running
    return this.seen(id)
  }

  // The tool call of `sleeptool` makes a file in the working directory once its children run.
  private async runs(act: Act): Promise<void> {
    const folder = this.place.path(WORK)
    const watched = watch(folder)
    const there = Bun.file(`${folder}/${runOf(act)}.started`)
    if (await there.exists()) return
    for await (const _ of watched) if (await there.exists()) return
  }

  /** A file of an attempt's audit folder. */
  audit({ attempt, task }: Seen, name: string): Promise<string> {
    const path = this.place.path("state/artifacts/adapter-runs", task.task_id, attempt.attempt_id, name)
    return Bun.file(path).text()
  }

  /** Plays a row and compares what became of it; that nothing of it still runs is part of every row. */
  async hold(row: Row, play: (act: Act) => Promise<Seen> = (act) => this.play(act)): Promise<Seen> {
    const seen = await play(row.act)
    const { attempt, task } = seen
    const left = await processesWith(
      `AGENT_RUNTIME_ATTEMPT_ID=${attempt.attempt_id}`,
      `STUB_RUN=${runOf(row.act)}`
    )
    this.lines.push(line(row.when, seen, left))
    const became: Settings = {
      status: task.status,
      exit: attempt.exit_status,
      retry: attempt.retry_class,
      reason: attempt.reason,
      attemptCount: task.attempt_count,
      issues: attempt.issues,
      left
    }
    expect(became).toEqual({
      status: row.status,
      exit: row.exit,
      retry: row.retry,
      reason: expected(row.reason),
      attemptCount: row.attemptCount ?? 1,
      issues: (row.issues ?? []).map(expected),
      left: []
    })
    if (row.usage !== undefined) expect(attempt.usage).toMatchObject(row.usage)
    if (row.waits !== undefined) expect(Math.abs(waitOf(seen) - row.waits)).toBeLessThan(5)
    return seen
  }

  /** Appends what was seen to the file that AGENT_RUNTIME_WRITE_TABLE names, as a table in Markdown. */
  async write(title: string): Promise<void> {
    const file = process.env.AGENT_RUNTIME_WRITE_TABLE
    if (file === undefined || file === "" || this.lines.length === 0) return
    const head = [
      "| when | task | exit status | retry | reason | due again | tokens in / out / cached, cost | issues |",
      "|---|---|---|---|---|---|---|---|"
    ]
    await appendFile(file, `### ${title}\n\n${[...head, ...this.lines].join("\n")}\n\n`)
  }
}

// What a scenario's children carry, beside the attempt's marker, is its argument.
const runOf = ({ scenario }: Act): string => scenario.split(" ")[1] ?? "none"

const waitOf = ({ attempt, task }: Seen): number =>
  (Date.parse(task.available_at) - Date.parse(attempt.ended_at ?? "")) / 1000

const cell = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/\/(tmp|var\/tmp)\/agent-runtime-[^/\s]+/g, "FOLDER")
    .replace(/\|/g, "\\|")
    .replace(/\s+/g, " ")

const line = (when: string, seen: Seen, left: ReadonlyArray<string>): string => {
  const { attempt, task } = seen
  const { cached_tokens, cost_usd, input_tokens, output_tokens } = attempt.usage
  const again =
    task.status !== "retryable_failure"
      ? ""
      : task.attempt_count === 0
        ? `in ${Math.round(waitOf(seen))} s`
        : "after the back-off"
  const counts = [input_tokens, output_tokens, cached_tokens].map((count) => count ?? "-").join(" / ")
  const cells = [
    when,
    task.attempt_count === 0 ? `${task.status}, not counted` : task.status,
    attempt.exit_status ?? "-",
    attempt.retry_class ?? "-",
    attempt.reason ?? "-",
    again,
    `${counts}${cost_usd === null ? "" : `, $${cost_usd}`}`,
    [...attempt.issues, ...left.map((process) => `LEFT: ${process}`)].join("; ")
  ]
  return `| ${cells.map((text) => cell(text)).join(" | ")} |`
}
