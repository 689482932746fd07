import { DateTime, Option, Schema } from "effect"
import { AttemptId, BundleId, RunnerId, TaskId } from "./Ids.ts"
import { Time } from "./Time.ts"
import { Usage } from "./Usage.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

export const AdapterMode = Schema.Literal("script", "agent-cli", "ollama-generate", "openai-chat")
export type AdapterMode = typeof AdapterMode.Type

/** The dialect of an `agent-cli` adapter. */
export const Driver = Schema.Literal("codex", "claude-code", "hermes-agent")
export type Driver = typeof Driver.Type

/** Modes whose answer a model writes: they must return an outcome object. */
export const isModelBacked = (mode: AdapterMode): boolean => mode !== "script"

export const ExitStatus = Schema.Literal("ok", "error", "timeout", "canceled")
export type ExitStatus = typeof ExitStatus.Type

export const RetryClass = Schema.Literal("none", "retryable", "permanent")
export type RetryClass = typeof RetryClass.Type

/** Whether a bundle can be run again with the same result. */
export const ReplayGrade = Schema.Literal("inputs_frozen", "best_effort", "non_replayable_model")
export type ReplayGrade = typeof ReplayGrade.Type

/** One execution of a task by one adapter. */
export const Attempt = whenUsed(() =>
  wireStruct({
    attemptId: AttemptId,
    taskId: TaskId,
    number: Schema.Int,
    runnerId: RunnerId,
    host: Schema.String,
    profileId: nullable(Schema.String),
    adapterId: nullable(Schema.String),
    adapterMode: nullable(AdapterMode),
    model: nullable(Schema.String),
    status: Schema.Literal("running", "finished"),
    startedAt: Time,
    endedAt: nullable(Time),
    exitStatus: nullable(ExitStatus),
    retryClass: nullable(RetryClass),
    reason: nullable(Schema.String),
    bundleId: nullable(BundleId),
    bundleHash: nullable(Schema.String),
    replayGrade: nullable(ReplayGrade),
    usage: Usage,
    issues: Schema.Array(Schema.String),
    promptPath: nullable(Schema.String),
    stdoutPath: nullable(Schema.String),
    stderrPath: nullable(Schema.String),
    resultPath: nullable(Schema.String)
  }).annotations({ identifier: "Attempt" })
)
export type Attempt = typeof Attempt.Type

/** Milliseconds from an attempt's start to its end; none while it runs. Never below 0: the host's clock may be set back. */
export const durationOf = ({
  endedAt,
  startedAt
}: Pick<Attempt, "endedAt" | "startedAt">): Option.Option<number> =>
  Option.map(endedAt, (end) => Math.max(0, DateTime.distance(startedAt, end)))
