import { Option } from "effect"
import type { AdapterMode, ExitStatus, RetryClass } from "../../domain/Attempt.ts"
import { ADOPTED_BUNDLE_VERSION } from "../../domain/Bundle.ts"
import type { OriginalRow } from "../Original.ts"
import { Cells, objectIn } from "./Cells.ts"

/** The kinds of adapters of the original; `unresolved` is an attempt whose adapter was not found. */
const MODES: Readonly<Record<string, AdapterMode>> = {
  script: "script",
  "agent-cli": "agent-cli",
  cli: "agent-cli",
  "ollama-generate": "ollama-generate",
  ollama: "ollama-generate",
  "openai-chat": "openai-chat",
  openai: "openai-chat"
}

const EXITS: Readonly<Record<string, ExitStatus>> = {
  ok: "ok",
  success: "ok",
  error: "error",
  failed: "error",
  timeout: "timeout",
  canceled: "canceled",
  cancelled: "canceled"
}

const RETRIES: Readonly<Record<string, RetryClass>> = {
  none: "none",
  retryable: "retryable",
  permanent: "permanent"
}

const ATTEMPT_COLUMNS = new Set([
  "attempt_id",
  "task_id",
  "adapter_id",
  "adapter_kind",
  "model",
  "runner_id",
  "bundle_id",
  "status",
  "started_at",
  "ended_at",
  "exit_status",
  "retry_class",
  "prompt_path",
  "stdout_path",
  "stderr_path",
  "result_path"
])

const BUNDLE_COLUMNS = new Set([
  "bundle_id",
  "task_id",
  "attempt_id",
  "bundle_hash",
  "profile_id",
  "adapter_id",
  "model",
  "replay_grade",
  "relative_path",
  "prompt_relative_path",
  "created_at"
])

const MOST_OF_A_REASON = 300

/** Evidence of the original is named by its place on its host; here paths are relative to the artifact root. */
export const belowArtifacts = (place: string): string =>
  /(?:^|\/)((?:adapter-runs|bundles)\/.*)$/.exec(place)?.[1] ?? place

const evidence = (cells: Cells, name: string): string | null => {
  const place = cells.named(name)
  if (place === null) return null
  const relative = belowArtifacts(place)
  return relative === place ? place : cells.mapped(relative)
}

const absentOr = <A>(cells: Cells, name: string, read: () => A): A | null =>
  cells.raw(name) === null || cells.raw(name) === "" ? null : read()

/** What the diagnostics say of an end that was not good. */
const reasonOf = (cells: Cells): string | null => {
  const text = cells.raw("diagnostics_json")
  const told = typeof text === "string" ? objectIn(text) : Option.none()
  const words = Option.flatMapNullable(told, ({ error, reason }) =>
    [reason, error].find((one) => typeof one === "string" && one.trim() !== "")
  )
  return Option.match(words, {
    onNone: () => null,
    onSome: (one) => String(one).split("\n", 1).join("").slice(0, MOST_OF_A_REASON).toWellFormed()
  })
}

/** An attempt of the original. `mayRun`: its task was taken over as running, so that it may still be open. */
export const attemptOf = (
  row: OriginalRow,
  facts: { readonly at: string; readonly substitute: string; readonly mayRun: (taskId: string) => boolean }
) => {
  const cells = new Cells(row)
  cells.rest(ATTEMPT_COLUMNS)
  const taskId = cells.id("task_id", facts.substitute)
  const runnerId = cells.id("runner_id", "unknown")
  const startedAt = cells.time("started_at", facts.at)
  const endedAt = cells.optionalTime("ended_at")
  const wasOpen = cells.raw("status") === "running"
  const isOpen = wasOpen && facts.mayRun(taskId)
  const abandoned = wasOpen && !isOpen
  const attempt = {
    attemptId: cells.id("attempt_id", facts.substitute),
    taskId,
    runnerId,
    host: runnerId.split(":", 1).join(""),
    adapterId: cells.named("adapter_id"),
    adapterMode:
      cells.raw("adapter_kind") === "unresolved"
        ? cells.mapped(null)
        : absentOr(
            cells,
            "adapter_kind",
            () => cells.word<AdapterMode | "">("adapter_kind", MODES, "") || null
          ),
    model: cells.named("model"),
    bundleId: cells.named("bundle_id"),
    status: isOpen ? "running" : "finished",
    startedAt,
    endedAt: isOpen ? null : abandoned ? facts.at : (endedAt ?? cells.mapped(startedAt)),
    exitStatus: abandoned
      ? "error"
      : absentOr(cells, "exit_status", () => cells.word("exit_status", EXITS, "error")),
    retryClass: abandoned
      ? "retryable"
      : absentOr(cells, "retry_class", () => cells.word("retry_class", RETRIES, "none")),
    reason: abandoned ? "boot_sweep" : reasonOf(cells),
    promptPath: evidence(cells, "prompt_path"),
    stdoutPath: evidence(cells, "stdout_path"),
    stderrPath: evidence(cells, "stderr_path"),
    resultPath: evidence(cells, "result_path")
  }
  return { attempt, abandoned, cells }
}

const GRADES = {
  inputs_frozen: "inputs_frozen",
  best_effort: "best_effort",
  non_replayable_model: "non_replayable_model"
} as const

/** A bundle of the original. Its file has the shape of the original, which its version says. */
export const bundleOf = (row: OriginalRow, facts: { readonly at: string; readonly substitute: string }) => {
  const cells = new Cells(row)
  cells.rest(BUNDLE_COLUMNS)
  const bundle = {
    bundleId: cells.id("bundle_id", facts.substitute),
    taskId: cells.id("task_id", facts.substitute),
    attemptId: cells.id("attempt_id", facts.substitute),
    bundleHash: cells.text("bundle_hash", ""),
    bundleVersion: ADOPTED_BUNDLE_VERSION,
    profileId: cells.text("profile_id", "unknown"),
    adapterId: cells.text("adapter_id", "unknown"),
    model: cells.named("model"),
    replayGrade: cells.word("replay_grade", GRADES, "best_effort"),
    relativePath: belowArtifacts(cells.text("relative_path", "unknown")),
    promptRelativePath: belowArtifacts(cells.text("prompt_relative_path", "unknown")),
    createdAt: cells.time("created_at", facts.at)
  }
  return { bundle, cells }
}
