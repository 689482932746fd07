import type { Option } from "effect"
import type { Execution, Job } from "../../../src/adapter/AdapterRegistry.ts"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import type { StepMark } from "../../../src/domain/Step.ts"
import type { Ladder } from "../Ladder.ts"
import type { Ending } from "../Process.ts"

/** What a driver composes an invocation from. All paths are absolute. */
export interface Plan {
  readonly settings: AgentCliSettings
  readonly job: Pick<Job, "prompt" | "model" | "untrusted" | "withheld" | "freeFormResult">
  readonly cwd: string
  /** A private folder that lives as long as the attempt, for files that the program is pointed to. */
  readonly scratch: string
  /** The environment that the child will have, for drivers that look at their program's home. */
  readonly env: Readonly<Record<string, string>>
  /** The variables of `env` that hold secret values. */
  readonly secretNames?: ReadonlyArray<string>
  /** What `Driver.examine` answered; empty where a driver has none. */
  readonly abilities: ReadonlySet<string>
}

/** How the program is started. The prompt goes by `stdin`, never by argv, wherever the program takes it. */
export interface Invocation {
  readonly args: ReadonlyArray<string>
  readonly stdin: string
  /** Files to be written into `scratch` before the start, by name. */
  readonly files: Readonly<Record<string, string>>
  /**
   * Why this job must not be started like this, with the remedy: nothing is run then, and the attempt is
   * `error` with retry class `none`. Absent when nothing is in the way.
   */
  readonly problem?: { readonly reason: string; readonly remedy: string }
}

/** How a run ended, as the runtime saw it. Texts are raw: secret values may be in them. */
export interface End {
  readonly ending: Ending
  /** The last 64 KiB of stderr. */
  readonly stderr: string
  /** The last 64 KiB of stdout, for programs that failed before they spoke their protocol. */
  readonly stdout: string
}

/** What the program told of its run. Texts are raw; whoever stores them masks them first. */
export type Told = Pick<
  Execution,
  | "exitStatus"
  | "retryClass"
  | "reason"
  | "lastMessage"
  | "usage"
  | "sessionCost"
  | "retryAfterSeconds"
  | "diagnostics"
  | "facts"
>

/** A step mark without its time, which the runtime gives. */
export type Mark = Omit<StepMark, "at">

/** Reads a program's machine-readable output as it comes. One for each attempt; it keeps bounded memory. */
export interface Reader {
  /** Takes a line of stdout without its end; answers the steps that it begins or ends. Never throws. */
  readonly line: (text: string) => ReadonlyArray<Mark>
  /** Judges the run by what was read and how it ended; called once, after the last line. */
  readonly told: (end: End) => Told
}

/** The dialect of one agent program (deploy/ADAPTER_CONTRACTS.md gives the facts that each rests on). */
export interface Driver {
  /**
   * Environment that the program needs; an adapter's own `env` wins over it. `scratch` is the attempt's private
   * folder; a probe has none.
   */
  readonly env: (
    settings: AgentCliSettings,
    scratch: Option.Option<string>
  ) => Readonly<Record<string, string>>
  /** The flags that `autonomy: trusted-vm` adds; shown by healthcheck. */
  readonly bypass: ReadonlyArray<string>
  readonly ladder: Ladder
  /**
   * Arguments with which the program tells what it can do, and how its answer is read; it is to exit with 0. It is
   * asked once for each adapter, process and version of its file, and again after a job that `invoke` had a problem with.
   */
  readonly examine: Option.Option<{
    readonly args: ReadonlyArray<string>
    readonly abilities: (output: string) => ReadonlySet<string>
  }>
  /** What is wrong with the settings or the place before anything is run, with the remedy; none when nothing is. */
  readonly objection: (
    settings: AgentCliSettings,
    env: Readonly<Record<string, string>>
  ) => Option.Option<{ readonly reason: string; readonly remedy: string }>
  readonly invoke: (plan: Plan) => Invocation
  readonly reader: (plan: Plan) => Reader
}
