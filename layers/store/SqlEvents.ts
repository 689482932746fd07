import { Effect, Either, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { EventId, type WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { type EventType, RunEvent } from "../../src/domain/RunEvent.ts"
import type { Events } from "../../src/store/Events.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { json, stamped } from "./columns.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const APPEND = statement(`
  INSERT INTO run_events (event_type, task_id, attempt_id, workflow_id, schedule_id, actor_json, detail_json, created_at)
  VALUES (:type, :taskId,
    -- After the claim every event of a task names its attempt: the last one, where the caller knows none.
    coalesce(:attemptId, (SELECT attempt_id FROM attempts WHERE task_id = :taskId ORDER BY number DESC LIMIT 1)),
    coalesce(:workflowId, (SELECT workflow_id FROM tasks WHERE task_id = :taskId)),
    :scheduleId, :actor, :detail, :at)
  RETURNING id`)
const SINCE = statement("SELECT * FROM run_events WHERE id > :since ORDER BY id LIMIT :limit")
const NEWEST = statement("SELECT * FROM (SELECT * FROM run_events ORDER BY id DESC LIMIT :limit) ORDER BY id")
const OLDEST = statement(`
  SELECT coalesce(
    (SELECT min(id) FROM run_events),
    1 + (SELECT seq FROM sqlite_sequence WHERE name = 'run_events'),
    1) AS id`)
const OF_TASK = statement(
  "SELECT * FROM (SELECT * FROM run_events WHERE task_id = :taskId ORDER BY id DESC LIMIT :limit) ORDER BY id"
)

const OF_WORKFLOW = statement(`
  SELECT * FROM (SELECT * FROM run_events WHERE workflow_id = :workflowId ORDER BY id DESC LIMIT :limit) ORDER BY id`)

export interface EventSubject {
  readonly taskId?: string | null
  readonly attemptId?: string | null
  readonly workflowId?: number | null
  readonly scheduleId?: string | null
}

/** Writes a line of the history; every move calls this inside its own transaction. */
export const appendEvent = (
  sqlite: Sqlite["Type"],
  type: EventType,
  subject: EventSubject,
  detail: JsonObject,
  stamp: Stamp
): Effect.Effect<EventId, StoreUnavailable> =>
  sqlite
    .rows(APPEND, {
      type,
      taskId: subject.taskId ?? null,
      attemptId: subject.attemptId ?? null,
      workflowId: subject.workflowId ?? null,
      scheduleId: subject.scheduleId ?? null,
      detail: json(detail),
      ...stamped(stamp)
    })
    .pipe(Effect.map((rows) => EventId.make(Number(rows[0]!.id))))

const read = reader("run_events", "id", RunEvent)

// A line that does not decode is shown with what can be read, for the history must not end at it.
const salvaged = salvager(
  RunEvent,
  { actor: { surface: "dispatch", name: "unknown" }, created_at: EPOCH },
  (problem) => ({ detail: { damaged: problem } })
)

const shown = (row: Row): RunEvent => Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const list = Effect.map((rows: ReadonlyArray<Row>) => rows.map(shown))

/** Of one workflow, oldest first, at most the newest `limit`. */
export const ofWorkflow = (sqlite: Sqlite["Type"], workflowId: WorkflowId, limit: number) =>
  list(sqlite.rows(OF_WORKFLOW, { workflowId, limit }))

export const make = (sqlite: Sqlite["Type"]): Events => ({
  append: Effect.fn("Events.append")((event, stamp) =>
    sqlite.transact(
      "Events.append",
      appendEvent(
        sqlite,
        event.type,
        { taskId: Option.getOrNull(event.taskId), attemptId: Option.getOrNull(event.attemptId) },
        event.detail,
        stamp
      )
    )
  ),
  since: Effect.fn("Events.since")((since, limit) => list(sqlite.rows(SINCE, { since, limit }))),
  newest: Effect.fn("Events.newest")((limit) => list(sqlite.rows(NEWEST, { limit }))),
  oldest: Effect.map(sqlite.rows(OLDEST, {}), (rows) => EventId.make(Number(rows[0]?.id))).pipe(
    Effect.withSpan("Events.oldest")
  ),
  ofTask: Effect.fn("Events.ofTask")((taskId, limit) => list(sqlite.rows(OF_TASK, { taskId, limit })))
})
