import { Effect, Either, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { EventId, type WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { type EventType, RunEvent } from "../../src/domain/RunEvent.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Events } from "../../src/store/Events.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { json, stamped } from "./columns.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { isListing, list } from "./SqlListing.ts"
import { statement, type Value } from "./statement.ts"
import type { Writing } from "./writing.ts"

const GIVEN =
  "max((SELECT coalesce(max(id), 0) FROM run_events), (SELECT id FROM event_marks WHERE mark = 'given'))"
/** The highest id that was given, whether its row is still here, was removed, or is in what a restore replaced. */
export const LAST_GIVEN = statement(`SELECT ${GIVEN} AS id`)
const APPEND = statement(`
  INSERT INTO run_events (id, event_type, task_id, attempt_id, workflow_id, schedule_id, actor_json, detail_json, created_at)
  VALUES (1 + ${GIVEN}, :type, :taskId, :attemptId, :workflowId, :scheduleId, :actor, :detail, :at)`)
const LAST_ATTEMPT = statement(
  "SELECT attempt_id FROM attempts WHERE task_id = :taskId ORDER BY number DESC LIMIT 1"
)
const WORKFLOW = statement("SELECT workflow_id FROM tasks WHERE task_id = :taskId")
const SINCE = statement("SELECT * FROM run_events WHERE id > :since ORDER BY id LIMIT :limit")
const NEWEST = statement("SELECT * FROM (SELECT * FROM run_events ORDER BY id DESC LIMIT :limit) ORDER BY id")
const OLDEST = statement(`
  SELECT coalesce(
    (SELECT min(id) FROM run_events),
    1 + (SELECT id FROM event_marks WHERE mark = 'given')) AS id`)
const LATEST = statement(`
  SELECT coalesce(
    (SELECT max(id) FROM run_events),
    (SELECT id FROM event_marks WHERE mark = 'given')) AS id`)
const OF_TASK = statement(
  "SELECT * FROM (SELECT * FROM events_by_task WHERE task_id = :taskId ORDER BY id DESC LIMIT :limit) ORDER BY id"
)

const OF_WORKFLOW = statement(`
  SELECT * FROM (SELECT * FROM run_events WHERE workflow_id = :workflowId ORDER BY id DESC LIMIT :limit) ORDER BY id`)

/** What an event is about. Null is for what there is none of; what is left out is looked up by the task. */
export interface EventSubject {
  readonly taskId?: string | null
  readonly attemptId?: string | null | undefined
  readonly workflowId?: number | null
  readonly scheduleId?: string | null
}

// After the claim every event of a task names its attempt: the last one, where the caller knows none.
const lastAttempt = (writing: Writing, taskId: string): Value =>
  writing.rows(LAST_ATTEMPT, { taskId })[0]?.attempt_id ?? null

const workflowOf = (writing: Writing, taskId: string): Value =>
  writing.rows(WORKFLOW, { taskId })[0]?.workflow_id ?? null

/** Writes a line of the history and answers its id; every move calls this inside its own transaction. */
export const append = (
  writing: Writing,
  type: EventType,
  { attemptId, scheduleId = null, taskId = null, workflowId }: EventSubject,
  detail: JsonObject,
  stamp: Stamp
): number => {
  const id = writing.inserted(APPEND, {
    type,
    taskId,
    attemptId:
      attemptId === undefined && taskId !== null ? lastAttempt(writing, taskId) : (attemptId ?? null),
    workflowId:
      workflowId === undefined && taskId !== null ? workflowOf(writing, taskId) : (workflowId ?? null),
    scheduleId,
    detail: json(detail),
    ...stamped(stamp)
  })
  if (isListing(id)) list(writing, id)
  return id
}

/** `append` for a move that is more than one block: a part of its transaction. */
export const appendEvent = (
  sqlite: Sqlite["Type"],
  type: EventType,
  subject: EventSubject,
  detail: JsonObject,
  stamp: Stamp
): Effect.Effect<EventId, StoreUnavailable> =>
  Effect.map(
    sqlite.write("Events.append", (writing) => append(writing, type, subject, detail, stamp)),
    (id) => EventId.make(id)
  )

const read = reader("run_events", "id", RunEvent)

// A line that does not decode is shown with what can be read, for the history must not end at it.
const salvaged = salvager(
  RunEvent,
  { actor: { surface: "dispatch", name: "unknown" }, created_at: EPOCH },
  (problem) => ({ detail: { damaged: problem } })
)

const shown = (row: Row): RunEvent => Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const allShown = Effect.map((rows: ReadonlyArray<Row>) => rows.map(shown))

const idIn = (rows: ReadonlyArray<Row>): EventId => EventId.make(Number(rows[0]?.id))

/** Of one workflow, oldest first, at most the newest `limit`. */
export const ofWorkflow = (sqlite: Sqlite["Type"], workflowId: WorkflowId, limit: number) =>
  allShown(sqlite.rows(OF_WORKFLOW, { workflowId, limit }))

export const make = (sqlite: Sqlite["Type"]): Events => ({
  append: traced("Events.append")((event, stamp) =>
    appendEvent(
      sqlite,
      event.type,
      { taskId: Option.getOrNull(event.taskId), attemptId: Option.getOrUndefined(event.attemptId) },
      event.detail,
      stamp
    )
  ),
  since: traced("Events.since")((since, limit) => allShown(sqlite.rows(SINCE, { since, limit }))),
  newest: traced("Events.newest")((limit) => allShown(sqlite.rows(NEWEST, { limit }))),
  oldest: Effect.map(sqlite.rows(OLDEST, {}), idIn).pipe(Effect.withSpan("Events.oldest")),
  latest: Effect.map(sqlite.rows(LATEST, {}), idIn).pipe(Effect.withSpan("Events.latest")),
  ofTask: traced("Events.ofTask")((taskId, limit) => allShown(sqlite.rows(OF_TASK, { taskId, limit })))
})
