import { DateTime, Option, Schema } from "effect"
import { TaskId, WorkflowId } from "../../src/domain/Ids.ts"
import { isObject, type JsonObject, unsound } from "../../src/domain/Json.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import type { TaskStatus } from "../../src/domain/Task.ts"
import { TASK_STATUSES } from "../../src/domain/TaskStatuses.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { Row } from "./Sqlite.ts"
import type { Value } from "./statement.ts"
import type { TaskAndRound } from "./taskRows.ts"

// The claim reads one row and a list five hundred, and the schema of a task takes longer for one than a statement does:
// what nearly all rows hold is read by hand. Whatever is not exactly of that form is left to the schema, which has the
// last word.

/** Something that only the schema can judge. */
class NotPlain extends Error {}
const notPlain = new NotPlain()

const text = (value: Value | undefined): string => {
  if (typeof value === "string") return value
  throw notPlain
}

const whole = (value: Value | undefined): number => {
  if (Number.isSafeInteger(value)) return Number(value)
  throw notPlain
}

const orNone = <A>(value: Value | undefined, read: (value: Value) => A): Option.Option<A> =>
  value === null || value === undefined ? Option.none() : Option.some(read(value))

const time = (value: Value | undefined): DateTime.Utc => {
  const written = text(value)
  const millis = Date.parse(written)
  if (written.length !== 24 || Number.isNaN(millis) || new Date(millis).toISOString() !== written)
    throw notPlain
  return DateTime.unsafeMake(millis)
}

const id = (value: Value | undefined): TaskId => {
  const written = text(value)
  if (written.length === 0 || written.length > 200) throw notPlain
  return TaskId.make(written, { disableValidation: true })
}

const workflowId = (value: Value): WorkflowId => WorkflowId.make(whole(value))

const payload = (value: Value | undefined): JsonObject => {
  const read: unknown = JSON.parse(text(value))
  if (isObject(read) && unsound(read) === undefined) return read
  throw notPlain
}

const status = (value: Value | undefined): TaskStatus => {
  const found = TASK_STATUSES.find((one) => one === value)
  if (found !== undefined) return found
  throw notPlain
}

const decodeOutcome = onFirstUse(() => Schema.decodeUnknownOption(Outcome))

const outcome = (value: Value): Outcome => {
  const found = decodeOutcome()(JSON.parse(text(value)))
  if (Option.isSome(found)) return found.value
  throw notPlain
}

const read = (row: Row): TaskAndRound => {
  if (row.known_json !== null) throw notPlain
  // Not a part of either record, but damage all the same.
  for (const column of [row.created_by_json, row.cancel_json])
    if (typeof column === "string") JSON.parse(column)
  return {
    task: {
      taskId: id(row.task_id),
      kind: text(row.kind),
      source: text(row.source),
      subject: orNone(row.subject, text),
      description: orNone(row.description, text),
      priority: whole(row.priority),
      payload: payload(row.payload_json),
      requestedProfile: orNone(row.requested_profile, text),
      requestedAdapter: orNone(row.requested_adapter, text),
      requestedModel: orNone(row.requested_model, text),
      maxAttempts: whole(row.max_attempts),
      dedupeKey: orNone(row.dedupe_key, text),
      status: status(row.status),
      attemptCount: whole(row.attempt_count),
      createdAt: time(row.created_at),
      updatedAt: time(row.updated_at),
      availableAt: time(row.available_at),
      startedAt: orNone(row.started_at, time),
      finishedAt: orNone(row.finished_at, time),
      outcome: orNone(row.outcome_json, outcome),
      lastError: orNone(row.last_error, text),
      parentTaskId: orNone(row.parent_task_id, id),
      workflowId: orNone(row.workflow_id, workflowId),
      untrusted: row.untrusted === 1
    },
    round: {
      round: whole(row.round),
      roundStartedAt: orNone(row.round_started_at, time),
      notCounted: whole(row.not_counted),
      known: Option.none(),
      note: orNone(row.note, text),
      replayOf: orNone(row.replay_of, text),
      workflowState: orNone(row.workflow_state, text),
      generation: whole(row.generation),
      rootTaskId: orNone(row.root_task_id, id),
      traceParent: orNone(row.trace_parent, text)
    }
  }
}

/** Task and round of a row in which nothing is unusual or damaged; none where the schema must look. */
export const plainTask = (row: Row): Option.Option<TaskAndRound> => {
  try {
    return Option.some(read(row))
  } catch {
    return Option.none()
  }
}
