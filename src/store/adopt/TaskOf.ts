import { Either, Option, Schema } from "effect"
import { Outcome } from "../../domain/Outcome.ts"
import { type TaskStatus, TERMINAL } from "../../domain/Task.ts"
import { onFirstUse } from "../../domain/Wire.ts"
import type { OriginalRow } from "../Original.ts"
import { Cells, objectIn } from "./Cells.ts"

/** The status words of the original and of its earlier versions. Every other word becomes `blocked`, told. */
const STATUSES: Readonly<Record<string, TaskStatus>> = {
  pending: "pending",
  queued: "pending",
  ready: "pending",
  running: "running",
  in_progress: "running",
  claimed: "running",
  completed: "completed",
  done: "completed",
  succeeded: "completed",
  retryable_failure: "retryable_failure",
  retry: "retryable_failure",
  permanent_failure: "permanent_failure",
  failed: "permanent_failure",
  blocked: "blocked",
  operator_canceled: "operator_canceled",
  canceled: "operator_canceled",
  cancelled: "operator_canceled"
}

const COLUMNS = new Set([
  "task_id",
  "kind",
  "source",
  "subject",
  "description",
  "priority",
  "payload_json",
  "requested_profile",
  "requested_adapter",
  "requested_model",
  "dedupe_key",
  "parent_task_id",
  "status",
  "created_at",
  "updated_at",
  "attempt_count",
  "max_attempts",
  "available_at",
  "started_at",
  "finished_at",
  "outcome_json",
  "last_error"
])

export interface TaskFacts {
  readonly at: string
  /** The id of a row that has none. */
  readonly substitute: string
  readonly attempts: { readonly count: number; readonly open: boolean }
}

export interface AdoptedTask {
  readonly taskId: string
  readonly kind: string
  readonly source: string
  readonly subject: string | null
  readonly description: string | null
  readonly priority: number
  readonly payload: string
  readonly requestedProfile: string | null
  readonly requestedAdapter: string | null
  readonly requestedModel: string | null
  readonly dedupeKey: string | null
  readonly parent: string | null
  readonly maxAttempts: number
  readonly status: TaskStatus
  readonly attemptCount: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly availableAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly outcome: string | null
  readonly lastError: string | null
}

/** Whether a task's status word is that of a running one. */
export const isRunning = ({ cells }: OriginalRow): boolean =>
  typeof cells.status === "string" && STATUSES[cells.status.trim().toLowerCase()] === "running"

const isOutcome = onFirstUse(() => Schema.decodeUnknownEither(Outcome))

const outcomeIn = (cells: Cells): string | null => {
  const text = cells.optional("outcome_json")
  if (text === null || text === "") return null
  const decodes = Option.exists(objectIn(text), (value) => Either.isRight(isOutcome()(value)))
  return decodes ? text : cells.damaged("outcome_json", "an outcome", null)
}

const LIVE_WAITING: ReadonlyArray<TaskStatus> = ["pending", "retryable_failure"]

/**
 * A task of the original as it stands here. One that is not ended and damaged is `blocked`; one that waits with
 * its attempts used up, which the original would never run, is too; one that is running without an open attempt
 * waits for its next.
 */
export const taskOf = (
  row: OriginalRow,
  facts: TaskFacts
): { readonly task: AdoptedTask; readonly cells: Cells } => {
  const cells = new Cells(row)
  cells.rest(COLUMNS)
  const createdAt = cells.time("created_at", facts.at)
  const updatedAt = cells.time("updated_at", createdAt)
  const given = cells.word("status", STATUSES, "blocked")
  const maxAttempts = cells.whole("max_attempts", 1, 3)
  const counted = cells.whole("attempt_count", 0, facts.attempts.count)
  // A boot sweep counts the attempt that it ends.
  const attemptCount = given === "running" ? Math.max(counted, facts.attempts.count, 1) : counted
  if (attemptCount !== counted) cells.changed = true
  const read = {
    taskId: cells.id("task_id", facts.substitute),
    kind: cells.text("kind", "unknown"),
    source: cells.text("source", "adopt"),
    subject: cells.optional("subject"),
    description: cells.optional("description"),
    priority: cells.whole("priority", -1_000_000, 5),
    payload: cells.object("payload_json"),
    requestedProfile: cells.named("requested_profile"),
    requestedAdapter: cells.named("requested_adapter"),
    requestedModel: cells.named("requested_model"),
    dedupeKey: cells.named("dedupe_key"),
    parent: cells.named("parent_task_id"),
    maxAttempts,
    attemptCount,
    createdAt,
    updatedAt,
    availableAt: cells.time("available_at", createdAt),
    startedAt: cells.optionalTime("started_at"),
    outcome: outcomeIn(cells)
  }
  const finishedAt = cells.optionalTime("finished_at") ?? (TERMINAL.includes(given) ? updatedAt : null)
  const lastError = cells.optional("last_error")
  return { task: { ...read, finishedAt, ...judged(cells, given, lastError, read, facts) }, cells }
}

const judged = (
  cells: Cells,
  given: TaskStatus,
  lastError: string | null,
  { attemptCount, maxAttempts }: { readonly attemptCount: number; readonly maxAttempts: number },
  { attempts, at }: TaskFacts
): { readonly status: TaskStatus; readonly lastError: string | null; readonly availableAt?: string } => {
  if (TERMINAL.includes(given)) return { status: given, lastError }
  if (cells.problems.length > 0)
    return { status: "blocked", lastError: `this record came damaged: ${cells.problems.join("; ")}` }
  const usedUp = attemptCount >= maxAttempts
  if (given === "running" && !attempts.open)
    return cells.mapped(
      usedUp
        ? { status: "blocked", lastError: "attempts_used_up: it was running, without an attempt" }
        : {
            status: "retryable_failure",
            lastError: "boot_sweep: it was running, without an attempt",
            availableAt: at
          }
    )
  if (LIVE_WAITING.includes(given) && usedUp)
    return cells.mapped({ status: "blocked", lastError: "attempts_used_up: it waited, with no attempt left" })
  return { status: given, lastError }
}
