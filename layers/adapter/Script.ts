import { Effect, Option, Redacted } from "effect"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { ScriptSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { noSecrets, type Redactor, redactorOf } from "../../src/domain/Redactor.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { MARKER } from "./Brand.ts"
import type { CannotStart } from "./CannotStart.ts"
import { type ChildEnv, childEnv } from "./ChildEnv.ts"
import { findCommand } from "./Command.ts"
import { findingsOf, into, intoKeepingRaw, type Logs, lastLine, openLogs, putInputs } from "./Evidence.ts"
import type { Ladder } from "./Ladder.ts"
import type { Ended, Ending, Processes } from "./Process.ts"
import type { HostEnvironment } from "./Secrets.ts"
import { maskedFor } from "./SecretValues.ts"

/** `_TASK_PAYLOAD_JSON` is set while it fits into this; the payload file is always there. */
const PAYLOAD_VARIABLE_BYTES = 64 * 1024
const HINT_BYTES = 16 * 1024

/** What a script's attempts share. */
export interface Setting {
  readonly settings: ScriptSettings
  readonly runtime: Pick<Settings, "runtimeName" | "stateDir" | "artifactDir">
  readonly host: HostEnvironment
  /** Where a script without `workingDir` runs: the folder of the configuration file. */
  readonly startedIn: string
  readonly processes: typeof Processes.Service
  readonly ladder?: Ladder
}

/** An Execution in which nothing happened; the modes fill in what did. */
export const blank: Execution = {
  exitStatus: "error",
  retryClass: "permanent",
  reason: Option.none(),
  lastMessage: "",
  redactor: noSecrets,
  usage: unknownUsage,
  retryAfterSeconds: Option.none(),
  hintText: "",
  survivors: [],
  diagnostics: [],
  facts: {}
}

const ownVariables = (job: Job, { runtime }: Setting): Record<string, string> => {
  const payload = JSON.stringify(job.payload)
  return {
    AGENT_RUNTIME_NAME: runtime.runtimeName,
    AGENT_RUNTIME_TASK_ID: job.taskId,
    [MARKER]: job.attemptId,
    AGENT_RUNTIME_ARTIFACT_DIR: runtime.artifactDir,
    AGENT_RUNTIME_STATE_DIR: runtime.stateDir,
    AGENT_RUNTIME_AUDIT_DIR: job.audit.path,
    AGENT_RUNTIME_BUNDLE_PATH: job.bundlePath,
    AGENT_RUNTIME_PAYLOAD_PATH: `${job.audit.path}/payload.json`,
    ...(Buffer.byteLength(payload) <= PAYLOAD_VARIABLE_BYTES
      ? { AGENT_RUNTIME_TASK_PAYLOAD_JSON: payload }
      : {}),
    ...Option.match(job.traceParent, { onNone: () => ({}), onSome: (TRACEPARENT) => ({ TRACEPARENT }) })
  }
}

/** Arguments from the payload of an untrusted task are taken only where the adapter says so. */
const argumentsOf = (job: Job, { settings }: Setting) => {
  const barred = job.untrusted && !settings.untrustedArgs && job.args.length > 0
  return {
    args: [...settings.extraArgs, ...(barred ? [] : job.args)],
    notes: barred
      ? [`${job.args.length} payload.args of an untrusted task were left out (untrustedArgs is false)`]
      : []
  }
}

type Verdict = Pick<Execution, "exitStatus" | "retryClass" | "reason">

const verdict = (ending: Ending, stderr: string): Verdict => {
  const failed = (exitStatus: Execution["exitStatus"], what: string): Verdict => ({
    exitStatus,
    retryClass: exitStatus === "canceled" ? "none" : "retryable",
    reason: Option.some(stderr === "" || exitStatus === "canceled" ? what : `${what}: ${stderr}`)
  })
  switch (ending._tag) {
    case "Exited":
      return ending.code === 0
        ? { exitStatus: "ok", retryClass: "none", reason: Option.none() }
        : failed("error", `exit code ${ending.code}`)
    case "Killed":
      return failed("error", `killed by ${ending.signal}`)
    case "TimedOut":
      return failed("timeout", `timed out after ${ending.afterMs} ms`)
    case "Silent":
      return failed("timeout", `no output for ${ending.forMs} ms`)
    case "Stopped":
      return failed("canceled", ending.reason === "cancel" ? "canceled by an operator" : "stopped by a drain")
  }
}

// The logs are masked already; what is cut out of them holds no part of a secret.
const executionOf = (ended: Ended, logs: Logs, notes: ReadonlyArray<string>) => ({
  ...blank,
  ...verdict(ended.ending, lastLine(logs.stderr.tail(4096))),
  hintText: `${logs.stdout.tail(HINT_BYTES)}\n${logs.stderr.tail(HINT_BYTES)}`,
  survivors: ended.survivors,
  diagnostics: [
    ...notes,
    ...findingsOf(logs),
    ...(ended.drained
      ? []
      : ["a process that could not be ended still held the output open: its last bytes may be missing"])
  ]
})

const launch = (job: Job, setting: Setting, file: string, cwd: string, child: ChildEnv, redactor: Redactor) =>
  Effect.scoped(
    Effect.gen(function* () {
      const logs = yield* openLogs(job)
      const { raw, sink } = intoKeepingRaw(logs.stdout, redactor)
      const { args, notes } = argumentsOf(job, setting)
      const ended = yield* setting.processes.run({
        attemptId: job.attemptId,
        file,
        args,
        cwd,
        env: child.env,
        stdin: Buffer.from(JSON.stringify(job.payload)),
        timeoutMs: setting.settings.timeoutMs,
        noOutputTimeoutMs: setting.settings.noOutputTimeoutMs,
        stdout: sink,
        stderr: into(logs.stderr, redactor),
        stop: job.stop,
        started: job.started,
        ...(setting.ladder === undefined ? {} : { ladder: setting.ladder })
      })
      const lastMessage = raw()
      yield* job.audit.put("last-message.txt", redactor.text(lastMessage))
      return { ...executionOf(ended, logs, [...notes, ...child.warnings]), lastMessage }
    })
  )

const cannotStart = ({ reason, remedy }: CannotStart): Execution => ({
  ...blank,
  reason: Option.some(`cannot start: ${reason}; ${remedy}`)
})

const noEvidence = ({ path, reason }: AuditFailed): Execution => ({
  ...blank,
  retryClass: "retryable",
  reason: Option.some(`the evidence could not be written: ${path}: ${reason}`)
})

/**
 * Runs one attempt of a script adapter: `command extraArgs... payload.args...`, the payload as JSON on stdin,
 * in `AGENT_RUNTIME_PAYLOAD_PATH` and, while it fits into 64 KiB, in `AGENT_RUNTIME_TASK_PAYLOAD_JSON`.
 * Never fails: exit 0 is ok, another code or a signal retryable, what cannot start permanent.
 */
export const executeScript = (setting: Setting) =>
  Effect.fn("Script.execute")(function* (job: Job) {
    const { settings } = setting
    const cwd = Option.match(settings.workingDir, {
      onNone: () => setting.startedIn,
      onSome: ({ path }) => path
    })
    const { args } = argumentsOf(job, setting)
    const attempt = Effect.gen(function* () {
      const child = yield* childEnv(settings, ownVariables(job, setting), setting.host)
      const redactor = redactorOf(child.secrets.flatMap((secret) => maskedFor(Redacted.value(secret))))
      const note = "stdin: the task's payload as JSON (payload.json)"
      yield* putInputs(job, { command: settings.command.path, args, cwd, env: child.shown, note }, redactor)
      return yield* findCommand(settings.command.path, child.env.PATH ?? "").pipe(
        Effect.flatMap((file) => launch(job, setting, file, cwd, child, redactor)),
        Effect.catchTag("CannotStart", (cause) => Effect.succeed(cannotStart(cause))),
        Effect.map((execution): Execution => ({ ...execution, redactor }))
      )
    })
    return yield* attempt.pipe(
      Effect.catchTags({
        CannotStart: (cause) => Effect.succeed(cannotStart(cause)),
        AuditFailed: (cause) => Effect.succeed(noEvidence(cause))
      })
    )
  })
