import { Effect, Either, Option, Schema } from "effect"
import { Actor, type Stamp } from "../../src/domain/Actor.ts"
import { TaskId, type WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { EventType } from "../../src/domain/RunEvent.ts"
import { traced } from "../../src/domain/Traced.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { Workflow, type WorkflowStatus } from "../../src/domain/Workflow.ts"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { NewWorkflow, WorkflowMove, WorkflowRow, Workflows } from "../../src/store/Workflows.ts"
import { actorJson, json, orNull, time } from "./columns.ts"
import { LAST as NEWEST, pageById, pageFrom, startOf } from "./idCursor.ts"
import { EPOCH, idReader, reader, salvager } from "./rows.ts"
import { appendEvent, ofWorkflow } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement, type Value } from "./statement.ts"

const OPEN = statement(`
  INSERT INTO workflows (template, instance_key, current_state, context_json, status, created_by_json, created_at, updated_at)
  VALUES (:template, :instanceKey, :state, :context, 'active', :createdBy, :at, :at)
  ON CONFLICT (instance_key) DO NOTHING RETURNING *`)
const FIND = statement("SELECT * FROM workflows WHERE id = :id")
const FIND_BY_KEY = statement("SELECT * FROM workflows WHERE instance_key = :instanceKey")
// A walk along the index for each status, merged as they go: none is read beyond the limit.
const LIST = statement(`
  SELECT * FROM workflows WHERE :active AND status = 'active' AND id < :before
  UNION ALL SELECT * FROM workflows WHERE :stalled AND status = 'stalled' AND id < :before
  UNION ALL SELECT * FROM workflows WHERE :completed AND status = 'completed' AND id < :before
  ORDER BY id DESC LIMIT :limit`)
const COMPLETED = statement(`
  SELECT * FROM workflows INDEXED BY workflows_completed
  WHERE status = 'completed' AND (completed_at, id) < (:completedAt, :id)
  ORDER BY completed_at DESC, id DESC LIMIT :limit`)
const COUNTS = statement("SELECT status, n FROM workflow_counts")
const NEWEST_ID = statement("SELECT coalesce(max(id), 0) AS id FROM workflows")
// From a place on, then from the start: all of them where they are no more than are looked at.
const IDLE = statement(`
  SELECT * FROM (
    SELECT * FROM (SELECT * FROM workflows WHERE status = 'active' AND id >= :from ORDER BY id LIMIT 1000)
    UNION ALL
    SELECT * FROM (SELECT * FROM workflows WHERE status = 'active' AND id < :from ORDER BY id LIMIT 1000)
    LIMIT 1000) AS looked_at
  WHERE NOT EXISTS (
    SELECT 1 FROM tasks WHERE tasks.workflow_id = looked_at.id AND tasks.workflow_state = looked_at.current_state
      AND tasks.status IN ('pending', 'running', 'retryable_failure', 'blocked') AND tasks.status <> 'blocked')`)
const UNFINISHED = statement(`
  SELECT task_id FROM tasks WHERE workflow_id = :id AND workflow_state = :state
    AND status IN ('pending', 'running', 'retryable_failure', 'blocked')`)
const LAST = statement(`
  SELECT task_id FROM tasks WHERE workflow_id = :id AND workflow_state = :state ORDER BY created_at DESC, rowid DESC
  LIMIT 1`)
const ENTERED_SINCE = statement(`
  SELECT 1 AS found FROM run_events WHERE workflow_id = :id AND event_type = 'workflow_transitioned' AND id > (
    SELECT id FROM events_by_task WHERE task_id = :taskId AND event_type = 'workflow_task_created'
    ORDER BY id DESC LIMIT 1)
  LIMIT 1`)
const ADVANCE = statement(`
  UPDATE workflows SET current_state = :to, context_json = coalesce(:context, context_json), status = 'active', stalled_reason = NULL,
    retries = 0, updated_at = :at
  WHERE id = :id AND current_state = :from AND status <> 'completed' RETURNING id`)
const COMPLETE = statement(`
  UPDATE workflows SET current_state = :to, context_json = coalesce(:context, context_json), status = 'completed',
    stalled_reason = NULL, updated_at = :at, completed_at = :at
  WHERE id = :id AND current_state = :from AND status <> 'completed' RETURNING id`)
const STALL = statement(`
  UPDATE workflows SET status = 'stalled', stalled_reason = :reason, updated_at = :at
  WHERE id = :id AND status <> 'completed' RETURNING current_state`)
const REVIVE = statement(`
  UPDATE workflows SET status = 'active', stalled_reason = NULL, retries = 0, updated_at = :at
  WHERE id = :id AND status = 'stalled'`)
const RETRIED = statement("UPDATE workflows SET retries = retries + 1, updated_at = :at WHERE id = :id")

// The id in a cursor is text; compared with the column it is the number.
const isId = (text: string): boolean => /^[1-9]\d{0,14}$/.test(text)
const BY_ID = { mark: "workflows", find: FIND, isId }

type Sql = Sqlite["Type"]

const read = reader("workflows", "id", Workflow)
// An instance that does not decode is shown, stalled, with what is wrong.
const salvaged = salvager(
  Workflow,
  {
    template: "unreadable",
    instance_key: "unreadable",
    current_state: "unreadable",
    context: {},
    created_at: EPOCH,
    updated_at: EPOCH
  },
  (problem) => ({ status: "stalled", stalled_reason: problem })
)
const decoded = (row: Row): Pick<WorkflowRow, "workflow" | "damage"> =>
  Either.match(read(row), {
    onLeft: ({ problem }) => ({ workflow: salvaged(row, problem), damage: Option.some(problem) }),
    onRight: (workflow) => ({ workflow, damage: Option.none() })
  })
const shown = (row: Row): Workflow => decoded(row).workflow
const OUTSIDE = new Set(["sensor", "bridge"])
const decodeOpener = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(Actor)))

const toRow = (row: Row): WorkflowRow => ({
  ...decoded(row),
  retries: Number(row.retries),
  // Whoever cannot be read is not trusted.
  untrusted: Option.match(decodeOpener()(row.created_by_json), {
    onNone: () => true,
    onSome: ({ surface }) => OUTSIDE.has(surface)
  })
})
const first = (rows: ReadonlyArray<Row>): Option.Option<WorkflowRow> =>
  Option.map(Option.fromNullable(rows[0]), toRow)

const taskId = idReader(TaskId)

/** A line of a workflow's history. Its detail names the workflow: nothing else that is on the wire does. */
const appendOf = (
  sqlite: Sql,
  workflowId: WorkflowId,
  type: EventType,
  detail: JsonObject,
  stamp: Stamp,
  taskId: TaskId | null = null
) => appendEvent(sqlite, type, { workflowId, taskId }, { workflow_id: workflowId, ...detail }, stamp)

const open = (sqlite: Sql, { context, instanceKey, state, template }: NewWorkflow, stamp: Stamp) =>
  sqlite.transact(
    "Workflows.open",
    Effect.gen(function* () {
      const made = (yield* sqlite.rows(OPEN, {
        template,
        instanceKey,
        state,
        context: json(context),
        createdBy: actorJson(stamp.actor),
        at: time(stamp.at)
      }))[0]
      if (made === undefined) {
        const holder = (yield* sqlite.rows(FIND_BY_KEY, { instanceKey }))[0]!
        return { created: false, workflow: shown(holder) }
      }
      const workflow = shown(made)
      const detail = { template, instance_key: instanceKey, state }
      yield* appendOf(sqlite, workflow.id, "workflow_created", detail, stamp)
      return { created: true, workflow }
    })
  )

const list = (sqlite: Sql, { after, limit, status }: Parameters<Workflows["list"]>[0]) =>
  Effect.gen(function* () {
    const before = yield* startOf(sqlite, BY_ID, after)
    if (Option.isNone(before)) return Option.none()
    const isAsked = (one: WorkflowStatus) => (status.includes(one) ? 1 : 0)
    const rows = yield* sqlite.rows(LIST, {
      active: isAsked("active"),
      stalled: isAsked("stalled"),
      completed: isAsked("completed"),
      before: before.value,
      limit: limit + 1
    })
    const page = pageById(BY_ID, rows, limit, (row) => String(row.id))
    return Option.some({ workflows: page.shown.map(shown), next: page.next })
  })

const completedAfter = (text: string) =>
  Option.flatMap(readCursor(text), ([mark, completedAt, id, ...more]) =>
    mark === "completed" && completedAt !== undefined && id !== undefined && more.length === 0 && isId(id)
      ? Option.some({ completedAt, id })
      : Option.none()
  )

const completed = (sqlite: Sql, { after, limit }: Parameters<Workflows["completed"]>[0]) =>
  Effect.gen(function* () {
    const from = Option.match(after, {
      onNone: () => Option.some({ completedAt: NEWEST, id: NEWEST }),
      onSome: completedAfter
    })
    if (Option.isNone(from)) return Option.none()
    const rows = yield* sqlite.rows(COMPLETED, { ...from.value, limit: limit + 1 })
    const page = pageFrom(rows, limit, (row) =>
      cursorOf(["completed", String(row.completed_at), String(row.id)])
    )
    return Option.some({ workflows: page.shown.map(shown), next: page.next })
  })

const moved = (
  sqlite: Sql,
  of: typeof ADVANCE,
  event: EventType,
  { context, from, id, signal, to }: WorkflowMove,
  stamp: Stamp
) =>
  sqlite.transact(
    `Workflows.${event}`,
    Effect.gen(function* () {
      const rows = yield* sqlite.rows(of, {
        id,
        from,
        to,
        context: orNull(Option.map(context, json)),
        at: time(stamp.at)
      })
      if (rows.length === 0) return false
      yield* appendOf(sqlite, id, event, { from, to, signal: Option.getOrNull(signal) }, stamp)
      return true
    })
  )

const stall = (sqlite: Sql, id: WorkflowId, reason: string, stamp: Stamp) =>
  sqlite.transact(
    "Workflows.stall",
    Effect.gen(function* () {
      const rows = yield* sqlite.rows(STALL, { id, reason, at: time(stamp.at) })
      const state: Value = rows[0]?.current_state ?? null
      if (rows.length > 0) yield* appendOf(sqlite, id, "workflow_stalled", { state, reason }, stamp)
      return rows.length > 0
    })
  )

const quarantine = (sqlite: Sql, id: WorkflowId, problem: string, stamp: Stamp) =>
  sqlite.transact(
    "Workflows.quarantine",
    Effect.gen(function* () {
      if (!(yield* stall(sqlite, id, `its record is damaged: ${problem}`, stamp))) return
      const detail = { table: "workflows", problem }
      yield* appendOf(sqlite, id, "record_quarantined", detail, stamp)
    })
  )

export const make = (sqlite: Sql): Workflows => ({
  open: traced("Workflows.open")((workflow, stamp) => open(sqlite, workflow, stamp)),
  find: traced("Workflows.find")((id) => Effect.map(sqlite.rows(FIND, { id }), first)),
  findByKey: traced("Workflows.findByKey")((instanceKey) =>
    Effect.map(sqlite.rows(FIND_BY_KEY, { instanceKey }), first)
  ),
  list: traced("Workflows.list")((page) => list(sqlite, page)),
  completed: traced("Workflows.completed")((page) => completed(sqlite, page)),
  counts: Effect.map(sqlite.rows(COUNTS), (rows) => {
    const of = (status: WorkflowStatus) => Number(rows.find((row) => row.status === status)?.n ?? 0)
    return { active: of("active"), stalled: of("stalled"), completed: of("completed") }
  }),
  idle: traced("Workflows.idle")(function* (turn) {
    const newest = Number((yield* sqlite.rows(NEWEST_ID))[0]?.id)
    const rows = yield* sqlite.rows(IDLE, { from: turn % (newest + 1) })
    return rows.map(toRow)
  }),
  unfinishedTask: traced("Workflows.unfinishedTask")((id, state) =>
    Effect.map(sqlite.rows(UNFINISHED, { id, state }), (rows) =>
      Option.map(Option.fromNullable(rows[0]), (row) => taskId(row.task_id))
    )
  ),
  lastTask: traced("Workflows.lastTask")((id, state) =>
    Effect.map(sqlite.rows(LAST, { id, state }), (rows) =>
      Option.map(Option.fromNullable(rows[0]), (row) => taskId(row.task_id))
    )
  ),
  isOfEarlierVisit: traced("Workflows.isOfEarlierVisit")((id, task) =>
    Effect.map(sqlite.rows(ENTERED_SINCE, { id, taskId: task }), (rows) => rows.length > 0)
  ),
  advance: traced("Workflows.advance")((move, stamp) =>
    moved(sqlite, ADVANCE, "workflow_transitioned", move, stamp)
  ),
  complete: traced("Workflows.complete")((move, stamp) =>
    moved(sqlite, COMPLETE, "workflow_completed", move, stamp)
  ),
  stall: traced("Workflows.stall")((id, reason, stamp) => Effect.asVoid(stall(sqlite, id, reason, stamp))),
  quarantine: traced("Workflows.quarantine")((id, problem, stamp) => quarantine(sqlite, id, problem, stamp)),
  revive: traced("Workflows.revive")((id, stamp) =>
    Effect.asVoid(sqlite.transact("Workflows.revive", sqlite.rows(REVIVE, { id, at: time(stamp.at) })))
  ),
  retried: traced("Workflows.retried")((id, stamp) =>
    Effect.asVoid(sqlite.transact("Workflows.retried", sqlite.rows(RETRIED, { id, at: time(stamp.at) })))
  ),
  taskCreated: traced("Workflows.taskCreated")((id, task, state, stamp) =>
    Effect.asVoid(
      sqlite.transact(
        "Workflows.taskCreated",
        appendOf(sqlite, id, "workflow_task_created", { state }, stamp, task)
      )
    )
  ),
  history: traced("Workflows.history")((id, limit) => ofWorkflow(sqlite, id, limit))
})
