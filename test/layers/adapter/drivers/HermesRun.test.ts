import { expect } from "bun:test"
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import { executeAgentCli } from "../../../../layers/adapter/AgentCli.ts"
import { hermes } from "../../../../layers/adapter/drivers/Hermes.ts"
import { Processes } from "../../../../layers/adapter/Process.ts"
import { scriptSettings } from "../../../../layers/adapter/ScriptedAdapters.ts"
import * as DiskAudit from "../../../../layers/artifact/DiskAudit.ts"
import type { Job, StopReason } from "../../../../src/adapter/AdapterRegistry.ts"
import { Audit } from "../../../../src/artifact/AuditFolder.ts"
import type { AgentCliSettings } from "../../../../src/config/AdapterSettings.ts"
import { TaskId } from "../../../../src/domain/Ids.ts"
import { leftOf, newAttempt, processes, temporaryFolder } from "../../../support/children/support.ts"
import { it } from "../../../support/effect.ts"

const fixtures = join(import.meta.dir, "../../../../fixtures/agents/hermes")
const ANSWER = '{"status":"completed","operator_summary":"the pump runs","machine_status":"ok"}'

/** A `hermes` that records how it is started, prints what $SAYS holds, and may wait to be interrupted. */
const SPY = `#!/bin/sh
case "$*" in *--help*) echo asked >>"$SEEN/asked"; cat "$FIXTURES/$HELP"; exit 0;; esac
for argument in "$@"; do printf '%s\\0' "$argument"; done >"$SEEN/argv"
cat >"$SEEN/stdin"
interrupted() { echo '{"type":"result","session_id":"s","exit_code":130,"text":"","error":"Interrupted"}'; exit 130; }
trap interrupted TERM
cat "$FIXTURES/$SAYS"
if [ -n "$WAITS" ]; then echo ready >"$SEEN/ready"; while :; do sleep 0.05; done; fi
printf '\\nsession_id: 2026_stderr\\n' >&2
exit "\${CODE:-0}"
`

interface Scene {
  readonly help?: string
  readonly says?: string
  readonly code?: number
  readonly settings?: Partial<AgentCliSettings>
  readonly job?: Partial<Job>
}

const run = ({ code = 0, help = "help-new.txt", job = {}, says = "ok.jsonl", settings = {} }: Scene = {}) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const file = join(folder, "hermes")
    writeFileSync(file, SPY)
    chmodSync(file, 0o755)
    const { untrustedArgs: _, ...child } = scriptSettings("hermes", { command: { given: file, path: file } })
    const { env = {}, ...changes } = settings
    const setting = {
      settings: {
        ...child,
        mode: "agent-cli" as const,
        driver: "hermes-agent" as const,
        model: Option.none(),
        settingsFile: Option.none(),
        sandbox: Option.none(),
        autonomy: "restricted" as const,
        provider: {},
        env: { FIXTURES: fixtures, SEEN: folder, HELP: help, SAYS: says, CODE: String(code), ...env },
        ...changes
      },
      driver: hermes,
      runtime: {
        runtimeName: "rt",
        stateDir: join(folder, "state"),
        artifactDir: join(folder, "artifacts")
      },
      host: { PATH: "/usr/bin:/bin", HOME: folder },
      startedIn: folder
    }
    const attemptId = newAttempt()
    const taskId = TaskId.make("task")
    const audit = yield* Effect.flatMap(Audit, ({ open }) => open(taskId, attemptId)).pipe(
      Effect.provide(DiskAudit.layer(join(folder, "artifacts")))
    )
    const stop = yield* Deferred.make<StopReason>()
    const execution = yield* Effect.gen(function* () {
      const execute = yield* executeAgentCli({ ...setting, processes: yield* Processes })
      return yield* execute({
        taskId,
        attemptId,
        prompt: "# Task\n'quoted' $HOME é\n",
        payload: {},
        args: [],
        model: Option.none(),
        untrusted: false,
        withheld: [],
        bundlePath: "/bundles/b.json",
        promptPath: "/bundles/b.prompt.txt",
        audit,
        traceParent: Option.none(),
        stop,
        started: () => Effect.void,
        ...job
      })
    }).pipe(Effect.provide(processes(join(folder, "state"))))
    expect(leftOf(attemptId)).toEqual([])
    const text = (path: string): string => readFileSync(path, "utf8")
    return {
      execution,
      reason: Option.getOrElse(execution.reason, () => ""),
      ran: existsSync(join(folder, "argv")),
      seen: (name: string) => text(join(folder, name)),
      kept: (name: string) => text(join(audit.path, name))
    }
  })

it.live("a recent hermes leaves its answer, its steps and its invocation as evidence", () =>
  Effect.gen(function* () {
    const { execution, kept, seen } = yield* run()
    expect(execution).toMatchObject({
      exitStatus: "ok",
      lastMessage: ANSWER,
      diagnostics: [],
      facts: { session_id: "20261122_101500_ef34gh" },
      usage: { inputTokens: Option.some(9400) }
    })
    expect([seen("asked"), seen("stdin")]).toEqual(["asked\n", "# Task\n'quoted' $HOME é\n"])
    const invocation: { args: ReadonlyArray<string>; env: Record<string, string> } = JSON.parse(
      kept("invocation.json")
    )
    expect(invocation.args.slice(0, 6)).toEqual([
      "chat",
      "-Q",
      "--query-file",
      "-",
      "--format",
      "stream-json"
    ])
    expect(invocation.env.PYTHONIOENCODING).toBe("utf-8")
    const steps = kept("steps.jsonl").trim().split("\n")
    expect(steps.map((line) => JSON.parse(line).id)).toEqual(["call_1", "call_2", "call_2", "call_1"])
  })
)

it.live("an old hermes is given the prompt as an argument, and its plain answer is read", () =>
  Effect.gen(function* () {
    const { execution, seen } = yield* run({ help: "help-old.txt", says: "plain.txt" })
    expect(seen("argv").split("\0")).toContain("--query=# Task\n'quoted' $HOME é\n")
    expect(execution).toMatchObject({ exitStatus: "ok", facts: { session_id: "2026_stderr" } })
    expect(execution.lastMessage.trim()).toBe(ANSWER)
  })
)

it.live("a prompt that an old hermes cannot take waits for an operator, and nothing is run", () =>
  Effect.gen(function* () {
    const { execution, ran, reason } = yield* run({
      help: "help-old.txt",
      job: { prompt: "x".repeat(200_000) }
    })
    expect(ran).toBe(false)
    expect(execution).toMatchObject({ exitStatus: "error", retryClass: "none" })
    expect(reason).toContain("the prompt has 200000 bytes")
    expect(reason).toContain("hermes update")
  })
)

it.live("a refused key waits for an operator; a bypass in extraArgs is never started", () =>
  Effect.gen(function* () {
    const refused = yield* run({ says: "unauthorized.jsonl", code: 1 })
    expect(refused.execution).toMatchObject({ exitStatus: "error", retryClass: "none" })
    expect(refused.reason).toContain("HTTP 401")
    const bypass = yield* run({ settings: { extraArgs: ["--yolo"] } })
    expect([bypass.ran, bypass.execution.retryClass]).toEqual([false, "permanent"])
    expect(bypass.reason).toContain("autonomy is restricted")
  })
)

it.live("a hermes that is silent for too long is interrupted by SIGTERM, and that is a timeout", () =>
  Effect.gen(function* () {
    const { execution, kept, reason } = yield* run({
      settings: { noOutputTimeoutMs: Option.some(200), env: { WAITS: "1" } }
    })
    expect(execution).toMatchObject({ exitStatus: "timeout", retryClass: "retryable", survivors: [] })
    expect(reason).toStartWith("no output for 200 ms")
    expect(kept("stdout.log")).toContain('"error":"Interrupted"')
  })
)
