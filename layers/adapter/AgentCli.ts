import { Effect, Option, type Scope } from "effect"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed, LogFile } from "../../src/artifact/AuditFolder.ts"
import type { AgentCliSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { traced } from "../../src/domain/Traced.ts"
import { makeAbilities, type Unexamined } from "./Abilities.ts"
import type { CannotStart } from "./CannotStart.ts"
import { type ChildEnv, childEnv, redactorFor } from "./ChildEnv.ts"
import { cannotStart, endingVerdict, endingWords, notBegun, notDrained } from "./ChildVerdict.ts"
import type { Masking } from "./ConfiguredSecrets.ts"
import type { Driver, Invocation, Plan, Reader, Told } from "./drivers/Driver.ts"
import {
  beginInputs,
  findingsOf,
  hintsOf,
  intoKeepingRaw,
  type Logs,
  lastLine,
  openLogs,
  putUnstarted
} from "./Evidence.ts"
import { MAX_LINE_BYTES, makeLines, plainly } from "./Lines.ts"
import { ownVariables, withoutSecrets, withPayload } from "./OwnVariables.ts"
import { findAgent, modelProblem } from "./Probe.ts"
import type { Ended, Processes, Sink } from "./Process.ts"
import { putScratch, type ScratchFailed, scratchFolder, scratchPath } from "./Scratch.ts"
import { blank, withoutEnv } from "./Script.ts"
import type { HostEnvironment } from "./Secrets.ts"
import { stepsInto } from "./Steps.ts"

/** What a driver sees of each output at the end. */
const END_CHARACTERS = 64 * 1024
const MOST_REASON = 1000

/** What the attempts of an agent's program share. */
export interface AgentCliSetting {
  readonly settings: AgentCliSettings
  readonly driver: Driver
  readonly runtime: Pick<Settings, "runtimeName" | "stateDir" | "artifactDir">
  readonly host: HostEnvironment
  /** Where a program without `workingDir` runs: the folder of the configuration file. */
  readonly startedIn: string
  readonly processes: typeof Processes.Service
  /** Knows the secrets of the whole configuration; without it an attempt's own are masked. */
  readonly masking?: Masking
}

/** Reads the output for the driver. A fault of a reader ends the reading, and is kept to be told. */
const guarded = (reader: Reader) => {
  let fault: Option.Option<string> = Option.none()
  const trying = <A>(use: () => A): Option.Option<A> => {
    if (Option.isSome(fault)) return Option.none()
    try {
      return Option.some(use())
    } catch (cause) {
      fault = Option.some(cause instanceof Error ? cause.message : String(cause))
      return Option.none()
    }
  }
  return { trying, line: (text: string) => trying(() => reader.line(text)), fault: () => fault }
}
type Guarded = ReturnType<typeof guarded>

/** A sink that keeps the whole output masked in a log and hands its lines, raw, to the reader. */
const reading = (log: LogFile, redactor: Redactor, take: (line: string) => void) => {
  const { raw, sink } = intoKeepingRaw(log, redactor)
  const lines = makeLines(take)
  const both: Sink = {
    write: (chunk) => {
      sink.write(chunk)
      lines.write(chunk)
    },
    end: () => {
      sink.end()
      lines.end()
    }
  }
  return { raw, sink: both, dropped: lines.dropped }
}

const endOf = (raw: string, redactor: Redactor): string =>
  raw.length <= END_CHARACTERS ? raw : redactor.afterCut(raw.slice(-END_CHARACTERS))

const unread = (what: string): Told => ({
  ...blank,
  retryClass: "none",
  reason: Option.some(
    `what the program told could not be read, by a fault of agent-runtime: ${what}; its output is kept in stdout.log`
  )
})

// Whoever was signalled, by the runtime or by anybody, did not succeed, whatever its exit code; and it is the
// runtime that knows why it sent a signal.
const judged = (told: Told, ended: Ended, stderrEnd: string): Told => {
  const { ending } = ended
  if (ending._tag === "Exited" && (ending.code === 0 || told.exitStatus !== "ok")) return told
  if (ending._tag === "Killed" && told.exitStatus !== "ok") return told
  const alone = endingVerdict(ending, "")
  // A driver may have said the same of the ending itself.
  const more = Option.filter(told.reason, (reason) => !Option.contains(alone.reason, reason)).pipe(
    Option.getOrElse(() => stderrEnd)
  )
  return { ...told, retryAfterSeconds: Option.none(), ...endingVerdict(ending, more) }
}

interface Run {
  readonly job: Job
  readonly setting: AgentCliSetting
  readonly file: string
  readonly cwd: string
  readonly child: ChildEnv
  readonly redactor: Redactor
  readonly plan: Plan
  readonly invocation: Invocation
  readonly notes: ReadonlyArray<string>
  readonly logs: Logs
}

const launch = (run: Run): Effect.Effect<Execution, CannotStart | AuditFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { child, job, logs, redactor, setting } = run
    const clock = yield* Effect.clock
    const steps = yield* job.audit.log("steps.jsonl")
    const mark = stepsInto(steps, redactor, () => clock.unsafeCurrentTimeMillis())
    const reader = run.setting.driver.reader(run.plan)
    const guard = guarded(reader)
    const stdout = reading(logs.stdout, redactor, (line) => Option.map(guard.line(line), mark))
    const stderr = intoKeepingRaw(logs.stderr, redactor)
    const ended = yield* setting.processes.run({
      attemptId: job.attemptId,
      file: run.file,
      args: run.invocation.args,
      cwd: run.cwd,
      env: child.env,
      stdin: Buffer.from(run.invocation.stdin),
      timeoutMs: setting.settings.timeoutMs,
      noOutputTimeoutMs: setting.settings.noOutputTimeoutMs,
      stdout: stdout.sink,
      stderr: stderr.sink,
      stop: job.stop,
      started: job.started,
      ladder: setting.driver.ladder
    })
    const [out, err] = [endOf(stdout.raw(), redactor), endOf(stderr.raw(), redactor)]
    const told = toldBy(reader, guard, { ending: ended.ending, stdout: out, stderr: err })
    const dropped = stdout.dropped()
    const stderrEnd = lastLine(redactor.text(err))
    const heard = { ...judged(told, ended, stderrEnd), stderrEnd }
    return executionOf(run, heard, ended, { ...logs, steps }, [
      ...(dropped > 0
        ? [`${dropped} lines of stdout were longer than ${MAX_LINE_BYTES} bytes and not read`]
        : [])
    ])
  })

const toldBy = (reader: Reader, guard: Guarded, end: Parameters<Reader["told"]>[0]): Told => {
  const told = guard.trying(() => reader.told(end))
  return Option.getOrElse(told, () => unread(Option.getOrElse(guard.fault(), () => "")))
}

const executionOf = (
  { notes, redactor }: Run,
  told: Told & Pick<Execution, "stderrEnd">,
  ended: Ended,
  logs: Logs & { readonly steps: LogFile },
  findings: ReadonlyArray<string>
): Execution => {
  const reason = Option.map(told.reason, (text) => plainly(redactor)(text, MOST_REASON))
  const { steps, ...outputs } = logs
  return {
    ...told,
    answerCut: false,
    reason,
    redactor,
    hintText: [hintsOf(outputs), ...Option.toArray(reason)].join("\n"),
    survivors: ended.survivors,
    diagnostics: [
      ...notes,
      ...findingsOf(outputs, steps),
      ...findings,
      ...notDrained(ended),
      ...told.diagnostics
    ]
  }
}

const noScratch = ({ path, reason }: ScratchFailed): Execution => ({
  ...blank,
  retryClass: "retryable",
  ...(isNoRoom(reason) ? { lacksRoom: true } : {}),
  reason: Option.some(`the attempt's scratch folder could not be written: ${path}: ${reason}`)
})

/**
 * Makes the execution of an agent's program: the driver composes the invocation and reads what the program
 * tells; the prompt goes by stdin where the program takes it. Never fails: what cannot start is permanent, what
 * the runtime ended is `timeout` or `canceled`, all else is as the driver judges it. A private scratch folder
 * below the state folder lives as long as the attempt.
 */
export const executeAgentCli = (setting: AgentCliSetting) =>
  Effect.map(makeAbilities(setting.driver, setting.processes), (abilities) =>
    traced("AgentCli.execute")(function* (job: Job) {
      const { driver, host, runtime, settings } = setting
      const cwd =
        job.cwd ??
        Option.match(settings.workingDir, {
          onNone: () => setting.startedIn,
          onSome: ({ path }) => path
        })
      const command = settings.command.path
      const composed = (child: ChildEnv) =>
        Effect.gen(function* () {
          const file = yield* findAgent(setting, child.env)
          const able = yield* abilities.of({ job, file, cwd, env: child.env })
          const scratch = yield* scratchFolder(runtime.stateDir, job.attemptId)
          const { env, secretNames } = child
          const plan: Plan = { settings, job, cwd, scratch, env, secretNames, abilities: able }
          return { file, plan, invocation: invocationOf(driver, plan) }
        })
      const attempt = (child: ChildEnv, redactor: Redactor) =>
        Effect.gen(function* () {
          const notes = child.warnings
          const { file, invocation, plan } = yield* composed(child).pipe(
            Effect.tapError(() =>
              putUnstarted(job, { command, args: settings.extraArgs, cwd, env: child.shown }, redactor)
            )
          )
          const shown = { command, args: invocation.args, cwd, env: child.shown }
          const note = "stdin: the prompt (assembled-context.txt), where args do not hold it"
          yield* Effect.flatten(beginInputs(job, { ...shown, note }, redactor))
          const logs = yield* openLogs(job)
          if (invocation.problem !== undefined) {
            // What mends it may be a newer version, behind a file that stays as it is.
            yield* abilities.forget
            return { ...refused(invocation.problem), diagnostics: notes }
          }
          yield* putScratch(plan.scratch, invocation.files)
          return yield* launch({ job, setting, file, cwd, child, redactor, plan, invocation, notes, logs })
        }).pipe(
          Effect.scoped,
          Effect.catchTags({
            CannotStart: (cause) => Effect.succeed<Execution>({ ...blank, ...cannotStart(cause) }),
            AuditFailed: (cause) => Effect.succeed<Execution>({ ...blank, ...notBegun(cause) }),
            ScratchFailed: (cause) => Effect.succeed(noScratch(cause)),
            Unexamined: (cause) => Effect.succeed(unexamined(cause, command, child.warnings))
          }),
          Effect.map((execution): Execution => ({ ...execution, redactor }))
        )
      const own = ownVariables(job, runtime)
      return yield* childEnv(
        settings,
        own,
        host,
        driver.env(settings, Option.some(scratchPath(runtime.stateDir, job.attemptId)))
      ).pipe(
        Effect.matchEffect({
          onFailure: withoutEnv(job, { command, args: settings.extraArgs, cwd, env: own }, setting.masking),
          onSuccess: (child) =>
            Effect.flatMap(redactorFor(child, setting.masking), (redactor) =>
              attempt(withPayload(child, withoutSecrets(job, redactor).payload), redactor)
            )
        })
      )
    })
  )

// What its program can do may decide how the prompt travels and what is kept from it: it is not run without knowing.
const unexamined = (
  { ended, question }: Unexamined,
  command: string,
  notes: ReadonlyArray<string>
): Execution => ({
  ...blank,
  ...(ended.ending._tag === "Stopped"
    ? endingVerdict(ended.ending, "")
    : {
        retryClass: "retryable",
        reason: Option.some(
          `what the program can do could not be found out: ${question}: ${endingWords(ended.ending)}; run \`${command} ${question}\` as this user to see why`
        )
      }),
  survivors: ended.survivors,
  diagnostics: [...notes, ...notDrained(ended)]
})

/** As the driver composes it, unless the task names what would be an option of the program. */
const invocationOf = (driver: Driver, plan: Plan): Invocation => {
  const problem = modelProblem(plan.job.model)
  return problem === undefined ? driver.invoke(plan) : { args: [], stdin: "", files: {}, problem }
}

const refused = ({ reason, remedy }: NonNullable<Invocation["problem"]>): Execution => ({
  ...blank,
  retryClass: "none",
  reason: Option.some(`${reason}; ${remedy}`)
})
