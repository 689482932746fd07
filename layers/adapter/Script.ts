import { Effect, Option } from "effect"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { ScriptSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { noSecrets, type Redactor } from "../../src/domain/Redactor.ts"
import { traced } from "../../src/domain/Traced.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { noEvidence } from "../../src/evidence/NoEvidence.ts"
import type { CannotStart } from "./CannotStart.ts"
import { type ChildEnv, childEnv, redactorFor } from "./ChildEnv.ts"
import { cannotStart, endingVerdict, notBegun, notDrained } from "./ChildVerdict.ts"
import { findCommand } from "./Command.ts"
import type { Masking } from "./ConfiguredSecrets.ts"
import {
  beginInputs,
  findingsOf,
  hintsOf,
  into,
  intoKeepingRaw,
  type Logs,
  lastLine,
  openLogs,
  putUnstarted
} from "./Evidence.ts"
import type { Ladder } from "./Ladder.ts"
import { ownVariables, withoutSecrets, withPayload } from "./OwnVariables.ts"
import type { Ended, Processes } from "./Process.ts"
import type { HostEnvironment } from "./Secrets.ts"

/** What a script's attempts share. */
export interface Setting {
  readonly settings: ScriptSettings
  readonly runtime: Pick<Settings, "runtimeName" | "stateDir" | "artifactDir">
  readonly host: HostEnvironment
  /** Where a script without `workingDir` runs: the folder of the configuration file. */
  readonly startedIn: string
  readonly processes: typeof Processes.Service
  readonly ladder?: Ladder
  /** Knows the secrets of the whole configuration; without it an attempt's own are masked. */
  readonly masking?: Masking
}

/** An Execution in which nothing happened; the modes fill in what did. */
export const blank: Execution = {
  exitStatus: "error",
  retryClass: "permanent",
  reason: Option.none(),
  stderrEnd: "",
  lastMessage: "",
  answerCut: false,
  redactor: noSecrets,
  usage: unknownUsage,
  retryAfterSeconds: Option.none(),
  hintText: "",
  survivors: [],
  diagnostics: [],
  facts: {}
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

// The logs are masked already; what is cut out of them holds no part of a secret.
const executionOf = (ended: Ended, logs: Logs, notes: ReadonlyArray<string>) => {
  const stderrEnd = lastLine(logs.stderr.tail(4096))
  return {
    ...blank,
    ...endingVerdict(ended.ending, stderrEnd),
    stderrEnd,
    hintText: hintsOf(logs),
    survivors: ended.survivors,
    diagnostics: [...notes, ...findingsOf(logs), ...notDrained(ended)]
  }
}

interface Run {
  readonly job: Job
  readonly setting: Setting
  readonly cwd: string
  readonly child: ChildEnv
  readonly redactor: Redactor
}

/**
 * The end of an attempt whose environment could not be made: nothing was run, and nothing is known of secrets of its own.
 * Its folder is whole all the same, `invocation` being how it would have been run.
 */
export const withoutEnv =
  (job: Job, invocation: Parameters<typeof putUnstarted>[1], masking: Masking | undefined) =>
  (cause: CannotStart): Effect.Effect<Execution> =>
    Effect.gen(function* () {
      const redactor = yield* redactorFor({ secrets: [] }, masking)
      yield* putUnstarted(job, invocation, redactor)
      return { ...blank, ...cannotStart(cause), redactor }
    }).pipe(Effect.catchTag("AuditFailed", (failed) => Effect.succeed({ ...blank, ...notBegun(failed) })))

const launch = ({ child, cwd, job, redactor, setting }: Run) =>
  Effect.scoped(
    Effect.gen(function* () {
      // They are there whatever becomes of the start.
      const logs = yield* openLogs(job)
      const file = yield* findCommand(setting.settings.command.path, child.env.PATH ?? "")
      const { cut, namesStatus, raw, sink } = intoKeepingRaw(logs.stdout, redactor)
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
      const unread = cut() ? ["only the last 1 MiB of stdout was looked at for an outcome"] : []
      return {
        ...executionOf(ended, logs, [...notes, ...child.warnings, ...unread]),
        lastMessage: raw(),
        answerCut: cut() && namesStatus()
      }
    })
  )

/**
 * Runs one attempt of a script adapter: `command extraArgs... payload.args...`, the payload as JSON on stdin,
 * in `AGENT_RUNTIME_PAYLOAD_PATH` and, while it fits into 64 KiB, in `AGENT_RUNTIME_TASK_PAYLOAD_JSON`.
 * Never fails: exit 0 is ok, another code or a signal retryable, what cannot start permanent.
 */
export const executeScript = (setting: Setting) =>
  traced("Script.execute")(function* (given: Job) {
    const { settings } = setting
    const cwd =
      given.cwd ??
      Option.match(settings.workingDir, {
        onNone: () => setting.startedIn,
        onSome: ({ path }) => path
      })
    const command = settings.command.path
    const own = ownVariables(given, setting.runtime)
    const attempt = (made: ChildEnv) =>
      Effect.gen(function* () {
        const redactor = yield* redactorFor(made, setting.masking)
        // What the child reads is what the payload file holds.
        const job = withoutSecrets(given, redactor)
        const child = withPayload(made, job.payload)
        const { args } = argumentsOf(job, setting)
        const note = "stdin: the task's payload as JSON (payload.json)"
        const invocation = { command, args, cwd, env: child.shown, note }
        const written = yield* beginInputs(job, invocation, redactor)
        return yield* launch({ job, setting, cwd, child, redactor }).pipe(
          Effect.catchTag("CannotStart", (cause) => Effect.succeed({ ...blank, ...cannotStart(cause) })),
          Effect.flatMap((execution) =>
            written.pipe(
              Effect.as(execution),
              // What ran is known all the same.
              Effect.catchTag("AuditFailed", (cause) =>
                Effect.succeed({ ...execution, ...noEvidence(cause) })
              )
            )
          ),
          Effect.map((execution): Execution => ({ ...execution, redactor }))
        )
      })
    return yield* childEnv(settings, own, setting.host).pipe(
      Effect.matchEffect({
        onFailure: withoutEnv(
          given,
          { command, args: argumentsOf(given, setting).args, cwd, env: own },
          setting.masking
        ),
        onSuccess: attempt
      }),
      Effect.catchTag("AuditFailed", (cause) => Effect.succeed<Execution>({ ...blank, ...notBegun(cause) }))
    )
  })
