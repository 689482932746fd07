import { Context, type Deferred, type Effect, type Option } from "effect"
import type { AuditFolder } from "../artifact/AuditFolder.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { ExitStatus, RetryClass } from "../domain/Attempt.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Redactor } from "../domain/Redactor.ts"
import type { Usage } from "../domain/Usage.ts"

/** Why a running attempt is told to end. */
export type StopReason = "cancel" | "drain"

/** One attempt's work, as an adapter receives it. All paths are absolute. */
export interface Job {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
  readonly prompt: string
  readonly payload: JsonObject
  /** `payload.args`, where the task and the adapter allow them; appended after `extraArgs`. */
  readonly args: ReadonlyArray<string>
  readonly model: Option.Option<string>
  readonly untrusted: boolean
  /** Integrations that the profile withholds from the child (`integration_policies` with `none`). */
  readonly withheld: ReadonlyArray<string>
  /** Whether the outcome may carry free-form objects (follow-ups, messages), which a strict schema cannot hold. */
  readonly freeFormResult?: boolean
  /** Where a child runs, in place of the adapter's working directory: that without symlinks, or a git worktree. */
  readonly cwd?: string
  readonly bundlePath: string
  readonly promptPath: string
  readonly audit: AuditFolder
  readonly traceParent: Option.Option<string>
  /** Completed when the attempt is to end early; the adapter then answers `canceled`, its children gone. */
  readonly stop: Deferred.Deferred<StopReason>
  /** To be run once the child runs, with its pid and kernel start time, so that a sweep can find it. */
  readonly started: (child: { readonly pid: number; readonly startTime: string }) => Effect.Effect<void>
}

/** What a session came to by the end of a run, told by a program that counts over all the session's runs. */
export interface SessionCost {
  readonly sessionId: string
  readonly totalUsd: number
  /** The session whose total this run began with, where its own cost is only to be had as what was added; else none. */
  readonly since: Option.Option<string>
}

/**
 * What every mode yields, whatever happened. Its texts may hold the adapter's secret values where they are not
 * taken from masked logs: whatever is stored or told of them goes through `redactor` first, before it is cut.
 */
export interface Execution {
  readonly exitStatus: ExitStatus
  readonly retryClass: RetryClass
  /** Nothing was run, as the host had no descriptor, process or memory left just now; absent otherwise. */
  readonly lacksRoom?: boolean
  /** One line: exit code or reason, and the end of stderr where there is one. None when all went well. */
  readonly reason: Option.Option<string>
  /** The end of what its program wrote to stderr, as one line, masked; empty where it wrote nothing. */
  readonly stderrEnd: string
  /**
   * The text in which the outcome is looked for: a script's stdout (its last 1 MiB), an agent's last message.
   * Raw, secret values included; its beginning is never the rest of one that was cut.
   */
  readonly lastMessage: string
  /** Whether `lastMessage` is the end of a longer text in which `"status"` stood: an outcome may stand before it. */
  readonly answerCut: boolean
  /** Of the adapter's secret values, as they were when the attempt started. */
  readonly redactor: Redactor
  readonly usage: Usage
  /** Of a session that may be gone on with; absent otherwise. */
  readonly sessionCost?: SessionCost
  /** Seconds that the other side asked to wait (an HTTP Retry-After, a CLI's own field). */
  readonly retryAfterSeconds: Option.Option<number>
  /** Text that may hold a hint in words; read only where the adapter names a `retryHintService`. */
  readonly hintText: string
  /** Processes that survived SIGKILL for 10 s: `pid (command)`. The task is then blocked. */
  readonly survivors: ReadonlyArray<string>
  /** Findings for the attempt's `issues`: truncated output, dropped keys, denied permissions. */
  readonly diagnostics: ReadonlyArray<string>
  /** What else the adapter told of this run, for its event and `result.json`: `session_id`, `model`, `turns`. */
  readonly facts: JsonObject
}

/** Something that keeps an adapter from running, and what mends it. */
export interface Fault {
  readonly reason: string
  readonly remedy: string
}

/** `reason` and `remedy` are of the first thing that is wrong; empty when ok. */
export interface ProbeResult extends Fault {
  readonly ok: boolean
  /** What is wrong beside it, as far as that can be told at once; absent where nothing is. */
  readonly others?: ReadonlyArray<Fault>
  readonly warnings: ReadonlyArray<string>
}

/** A configured way to execute. `execute` never fails: what went wrong is in the Execution. */
export interface Adapter {
  readonly settings: AdapterSettings
  readonly probe: Effect.Effect<ProbeResult>
  readonly execute: (job: Job) => Effect.Effect<Execution>
}

/** The configured adapters by id; `probe` answers are cached for 30 s. */
export class AdapterRegistry extends Context.Tag("agent-runtime/AdapterRegistry")<
  AdapterRegistry,
  {
    readonly ids: ReadonlyArray<string>
    readonly get: (id: string) => Option.Option<Adapter>
  }
>() {}
