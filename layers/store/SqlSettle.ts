import { Option } from "effect"
import type { AuditFile } from "../../src/artifact/AuditFolder.ts"
import type { ExitStatus } from "../../src/domain/Attempt.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { type TaskStatus, TERMINAL } from "../../src/domain/Task.ts"
import { tokensTold, type Usage } from "../../src/domain/Usage.ts"
import type { AttemptEnd, Move, Settled, Settlement } from "../../src/store/Tasks.ts"
import { json, orNull, time } from "./columns.ts"
import { outcomeJson, usageJson } from "./plainOutcome.ts"
import { settleReserved } from "./SqlBudgets.ts"
import { append, type EventSubject } from "./SqlEvents.ts"
import type { Row } from "./Sqlite.ts"
import { statement, type Value } from "./statement.ts"
import type { Writing } from "./writing.ts"

// Not answered by the two moves: what they answer would be put into a table made for it, which costs as much as they do.
const RUNNING = statement(`
  SELECT task_id, adapter_id, adapter_mode, profile_id, model, reserved_json,
    (SELECT workflow_id FROM tasks WHERE tasks.task_id = attempts.task_id) AS workflow_id
  FROM attempts WHERE attempt_id = :attemptId AND status = 'running'`)
const CLOSE = statement(`
  UPDATE attempts SET status = 'finished', ended_at = :at, exit_status = :exitStatus, retry_class = :retryClass,
    reason = :reason, issues_json = :issues, usage_json = :usage, session_id = :sessionId, session_cost_usd = :sessionCost
  WHERE attempt_id = :attemptId AND status = 'running'`)
const DISOWN = statement(`
  UPDATE attempts SET stdout_path = iif(:stdout, NULL, stdout_path), stderr_path = iif(:stderr, NULL, stderr_path),
    result_path = iif(:result, NULL, result_path)
  WHERE attempt_id = :attemptId`)
const TASK_OF = statement("SELECT task_id FROM attempts WHERE attempt_id = :attemptId")
const END = statement(`
  UPDATE tasks SET status = :status, ready = 0, updated_at = :at, finished_at = :finishedAt, last_error = :error,
    outcome_json = :outcome, note = NULL, cancel_requested_at = NULL, cancel_json = NULL
  WHERE task_id = :taskId AND status = 'running'`)
const WAIT = statement(`
  UPDATE tasks SET status = 'retryable_failure', ready = :ready, updated_at = :at, available_at = :availableAt,
    last_error = :error, outcome_json = :outcome, attempt_count = attempt_count - :takenBack,
    not_counted = not_counted + :takenBack, cancel_requested_at = NULL, cancel_json = NULL
  WHERE task_id = :taskId AND status = 'running'`)
const ADD_USAGE = statement(`
  INSERT INTO usage (day, adapter_id, profile_id, model, attempts, input_tokens, output_tokens, cached_tokens, cost_usd)
  VALUES (:day, :adapterId, :profileId, :model, 1, :input, :output, :cached, :cost)
  ON CONFLICT DO UPDATE SET attempts = attempts + 1, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
    cost_usd = cost_usd + excluded.cost_usd`)

const outcomeOrNull = (outcome: Option.Option<Outcome>): Value => orNull(Option.map(outcome, outcomeJson))

/** The statement of a move with its values, and the event that tells the decision. */
const written = (move: Move, at: string) => {
  const end = (status: TaskStatus, outcome: Option.Option<Outcome>, error: string | null) =>
    ({
      of: END,
      status,
      values: {
        at,
        status,
        error,
        outcome: outcomeOrNull(outcome),
        finishedAt: TERMINAL.includes(status) ? at : null
      },
      event: "task_finished",
      detail: { status, reason: error }
    }) as const
  const wait = (
    event: "task_retry_scheduled" | "rate_limit_rescheduled" | "dispatch_drained",
    until: string,
    takenBack: number,
    error: string,
    outcome: Option.Option<Outcome>
  ) =>
    ({
      of: WAIT,
      status: "retryable_failure",
      values: {
        at,
        availableAt: until,
        ready: until <= at ? 1 : 0,
        takenBack,
        error,
        outcome: outcomeOrNull(outcome)
      },
      event,
      detail: { available_at: until, counted: takenBack === 0, reason: error }
    }) as const
  switch (move._tag) {
    case "Complete":
      return end("completed", Option.some(move.outcome), null)
    case "Block":
      return end("blocked", move.outcome, move.error)
    case "FailForGood":
      return end("permanent_failure", move.outcome, move.error)
    case "Cancel":
      return {
        ...end("operator_canceled", Option.none(), move.reason),
        event: "task_operator_canceled"
      } as const
    case "RetryAt":
      return wait("task_retry_scheduled", time(move.at), 0, move.error, move.outcome)
    case "SnoozeUntil":
      return wait(
        move.waitsFor === undefined ? "rate_limit_rescheduled" : "task_retry_scheduled",
        time(move.at),
        1,
        move.error,
        move.outcome
      )
    case "PutBack":
      return wait(
        move.counted ? "task_retry_scheduled" : "dispatch_drained",
        at,
        move.counted ? 0 : 1,
        move.error,
        Option.none()
      )
  }
}

// The columns hold whole numbers: another one must not keep an end from being recorded.
const whole = (count: Option.Option<number>): number =>
  Option.getOrElse(Option.flatMap(count, tokensTold), () => 0)

const addUsage = (writing: Writing, attempt: Row, usage: Usage, at: string): void => {
  if (typeof attempt.adapter_id !== "string") return
  writing.changed(ADD_USAGE, {
    day: at.slice(0, 10),
    adapterId: attempt.adapter_id,
    profileId: attempt.profile_id ?? "",
    model: attempt.model ?? "",
    input: whole(usage.inputTokens),
    output: whole(usage.outputTokens),
    cached: whole(usage.cachedTokens),
    cost: Option.getOrElse(Option.filter(usage.costUsd, Number.isFinite), () => 0)
  })
}

// A script costs nothing that anybody could tell.
const isUntold = ({ cutOff, exitStatus }: AttemptEnd, attempt: Row): boolean =>
  attempt.adapter_mode !== "script" &&
  (cutOff === true || Option.match(exitStatus, { onNone: () => true, onSome: (one) => CUT_OFF.has(one) }))
const CUT_OFF: ReadonlySet<ExitStatus> = new Set(["timeout", "canceled"])

const late = (writing: Writing, settlement: Settlement): Settled => {
  const { attemptId } = settlement
  const task = writing.rows(TASK_OF, { attemptId })[0]
  ignored(writing, { taskId: task === undefined ? null : String(task.task_id), attemptId }, settlement)
  return { _tag: "Late" }
}

const ignored = (writing: Writing, subject: EventSubject, { end, move, stamp }: Settlement): void => {
  append(writing, "late_result_ignored", subject, { move: move._tag, reason: end.reason }, stamp)
}

const disown = (writing: Writing, { attemptId, end: { absent = [] } }: Settlement): void => {
  if (absent.length === 0) return
  const isAbsent = (file: AuditFile): Value => (absent.includes(file) ? 1 : 0)
  writing.changed(DISOWN, {
    attemptId,
    stdout: isAbsent("stdout.log"),
    stderr: isAbsent("stderr.log"),
    result: isAbsent("result.json")
  })
}

/** See Tasks.settle. Attempt, task, events and usage in one transaction; the attempt's id is the fence. */
export const settle =
  (settlement: Settlement) =>
  (writing: Writing): Settled => {
    const { attemptId, end, move, stamp } = settlement
    const at = time(stamp.at)
    const attempt = writing.rows(RUNNING, { attemptId })[0]
    if (attempt === undefined) return late(writing, settlement)
    writing.changed(CLOSE, {
      attemptId,
      at,
      exitStatus: orNull(end.exitStatus),
      retryClass: orNull(end.retryClass),
      reason: end.reason,
      issues: json(end.issues),
      usage: usageJson(end.usage),
      sessionId: end.session?.id ?? null,
      sessionCost: end.session?.costUsd ?? null
    })
    disown(writing, settlement)
    const taskId = String(attempt.task_id)
    const { of, status, values, event, detail } = written(move, at)
    // Where somebody has moved the task beside its attempt, the attempt ends all the same, and moves nothing.
    const isMoved = writing.changed(of, { taskId, ...values }) > 0
    const subject = {
      taskId,
      attemptId,
      workflowId: typeof attempt.workflow_id === "number" ? attempt.workflow_id : null
    }
    const finished: JsonObject = {
      ...end.detail,
      exit_status: orNull(end.exitStatus),
      reason: end.reason,
      issues: end.issues
    }
    append(writing, "task_attempt_finished", subject, finished, stamp)
    if (isMoved) append(writing, event, subject, detail, stamp)
    else ignored(writing, subject, settlement)
    addUsage(writing, attempt, end.usage, at)
    const started = typeof attempt.adapter_id === "string"
    settleReserved(writing, attempt, { usage: end.usage, started, untold: isUntold(end, attempt) }, at)
    return isMoved ? { _tag: "Settled", status } : { _tag: "Late" }
  }
