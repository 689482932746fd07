import { expect } from "bun:test"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Schema } from "effect"
import * as Live from "../../layers/Live.ts"
import * as Reading from "../../layers/Reading.ts"
import { bind } from "../../src/cli/Command.ts"
import { main } from "../../src/cli/Main.ts"
import { runOnce as command } from "../../src/cli/RunOnce.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { enqueue } from "../../src/intake/Enqueue.ts"
import { DOOR } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"

const Line = Schema.parseJson(
  Schema.Struct({
    at: Schema.String,
    level: Schema.String,
    message: Schema.String,
    task_id: Schema.String,
    attempt_id: Schema.String,
    runner_id: Schema.String
  })
)

/** A folder with a configuration whose adapter prints a word. */
const place = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "agent-runtime-live-"))
    const config = {
      runtimeName: "live",
      runtimePolicy: "Do what the task asks.",
      stateDir: "state",
      defaultProfile: "lumen",
      defaultAdapter: "local",
      profiles: { lumen: "lumen.json" },
      adapters: { local: { mode: "script", command: "echo", extraArgs: ["hello"] } }
    }
    fs.writeFileSync(path.join(folder, "runtime.json"), JSON.stringify(config))
    const profile = { profile_id: "lumen", style: "claude-like", role: "speak" }
    fs.writeFileSync(path.join(folder, "lumen.json"), JSON.stringify(profile))
    return folder
  }),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const runOnce = (folder: string, ...more: ReadonlyArray<string>) => {
  const terminal = fakeTerminal({ argv: ["run-once", ...more] })
  const program = {
    name: "agent-runtime",
    version: "test",
    summary: "",
    commands: [bind(command, () => Live.dispatching(path.join(folder, "runtime.json")))]
  } as const
  return Effect.map(Effect.provideService(main(program), Terminal, terminal.service), (code) => ({
    code,
    out: terminal.out(),
    err: terminal.err()
  }))
}

const queued = (folder: string) =>
  Effect.provide(
    enqueue({ kind: "note", source: "test", payload: {} }, DOOR),
    Reading.reading(path.join(folder, "runtime.json"))
  )

it.live("a run-once keeps the log of its attempt in the log folder and leaves stderr quiet", () =>
  Effect.gen(function* () {
    const folder = yield* place
    const { task } = yield* queued(folder)
    const { code, err, out } = yield* runOnce(folder)
    expect([code, err]).toEqual([0, ""])
    expect(JSON.parse(out)).toMatchObject({ status: "completed", operator_summary: "hello" })
    const text = fs.readFileSync(path.join(folder, "state", "logs", "runtime.jsonl"), "utf8")
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => Schema.decodeSync(Line)(line))
    expect(lines.at(-1)).toMatchObject({
      level: "info",
      message: "Attempt ended: completed: hello",
      task_id: task.taskId
    })
    expect(lines.at(-1)?.runner_id).toContain(`:${process.pid}:`)
  })
)

it.live("with --log-level info the same is told on stderr, in words", () =>
  Effect.gen(function* () {
    const folder = yield* place
    yield* queued(folder)
    const { err } = yield* runOnce(folder, "--log-level", "info")
    expect(err).toStartWith("agent-runtime: info: Attempt ended: completed: hello (")
  })
)

it.live("a log folder that cannot be made does not keep work from being done", () =>
  Effect.gen(function* () {
    const folder = yield* place
    fs.mkdirSync(path.join(folder, "state"))
    fs.writeFileSync(path.join(folder, "state", "logs"), "in the way")
    yield* queued(folder)
    const { code, out } = yield* runOnce(folder)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ status: "completed" })
  })
)
