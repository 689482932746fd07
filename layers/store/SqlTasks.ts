import { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import { type NewTask, recordOf, type Task, type TaskStatus } from "../../src/domain/Task.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Tasks } from "../../src/store/Tasks.ts"
import { actorJson, afterAll, json, orNull, time } from "./columns.ts"
import { idReader } from "./rows.ts"
import { before } from "./SqlBefore.ts"
import * as Claim from "./SqlClaim.ts"
import { append } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import * as Moves from "./SqlMoves.ts"
import * as Ready from "./SqlReady.ts"
import { retryProspects } from "./SqlRetryProspects.ts"
import { settle } from "./SqlSettle.ts"
import { list, matching } from "./SqlTaskList.ts"
import { blocked, ended, upcoming } from "./SqlTaskOrder.ts"
import { search } from "./SqlTaskSearch.ts"
import * as Unattended from "./SqlUnattended.ts"
import { statement } from "./statement.ts"
import { lenient } from "./taskRows.ts"
import type { Writing } from "./writing.ts"

const LIVE = "('pending', 'running', 'retryable_failure', 'blocked')"
const ADD = statement(`
  INSERT INTO tasks (task_id, kind, source, subject, description, priority, payload_json, requested_profile,
    requested_adapter, requested_model, max_attempts, dedupe_key, status, created_at, updated_at, available_at,
    parent_task_id, workflow_id, untrusted, lane, ready, workflow_state, generation, root_task_id, replay_of, trace_parent,
    created_by_json, to_list)
  VALUES (:taskId, :kind, :source, :subject, :description, :priority, :payload, :requestedProfile, :requestedAdapter,
    :requestedModel, :maxAttempts, :dedupeKey, 'pending', :at, :at, :availableAt, :parent, :workflowId, :untrusted, :lane,
    :ready, :workflowState, :generation, :root, :replayOf, :traceParent, :createdBy, 1)`)
const HOLDER = statement(`SELECT * FROM tasks WHERE dedupe_key = :key AND status IN ${LIVE}`)
const FIND = statement("SELECT * FROM tasks WHERE task_id = :taskId")
const STARTING_WITH = statement(
  "SELECT task_id FROM tasks WHERE task_id >= :prefix AND task_id < :end ORDER BY task_id LIMIT :limit"
)
const CHILDREN = statement(
  "SELECT * FROM tasks WHERE parent_task_id = :taskId ORDER BY created_at, task_id LIMIT :limit"
)
const REPLAYS = statement(`
  SELECT tasks.* FROM attempts CROSS JOIN tasks ON tasks.replay_of = attempts.attempt_id
  WHERE attempts.task_id = :taskId ORDER BY attempts.number, tasks.created_at, tasks.task_id LIMIT :limit`)
const RECENT = statement(`
  SELECT * FROM completed_by_kind WHERE kind = :kind AND replay_of IS NULL
  ORDER BY finished_at DESC, task_id DESC LIMIT :limit`)
const UNFINISHED_DESCENDANTS = statement(`
  SELECT count(*) AS n FROM (SELECT 1 FROM tasks WHERE root_task_id = :root AND status IN ${LIVE} LIMIT 101)`)
const UNFINISHED_OF_OPERATORS = statement(`
  SELECT count(*) AS n FROM (
    SELECT 1 FROM tasks WHERE source = 'operator-ui' AND status IN ${LIVE} LIMIT :most)`)
const COUNTS = statement("SELECT status, n FROM task_counts")

type Sql = Sqlite["Type"]

const values = (task: NewTask, stamp: Stamp) => {
  const { intent } = task
  const lane = {
    requestedAdapter: intent.requestedAdapter ?? null,
    requestedProfile: intent.requestedProfile ?? null,
    untrusted: task.untrusted
  }
  const [parent, workflow] = [Option.getOrNull(task.parent), Option.getOrNull(task.workflow)]
  return {
    taskId: task.taskId,
    kind: intent.kind,
    source: intent.source,
    subject: intent.subject ?? null,
    description: intent.description ?? null,
    priority: task.priority,
    payload: json(intent.payload),
    ...lane,
    requestedModel: intent.requestedModel ?? null,
    maxAttempts: task.maxAttempts,
    dedupeKey: intent.dedupeKey ?? null,
    at: time(stamp.at),
    availableAt: time(task.availableAt),
    ready: DateTime.greaterThan(task.availableAt, stamp.at) ? 0 : 1,
    untrusted: task.untrusted ? 1 : 0,
    lane: Ready.laneKey({ ...lane, workflowTemplate: workflow?.template ?? null }),
    parent: parent?.taskId ?? null,
    root: parent?.rootTaskId ?? null,
    generation: parent === null ? 0 : parent.generation + 1,
    workflowId: workflow?.id ?? null,
    workflowState: workflow?.state ?? null,
    replayOf: orNull(task.replayOf),
    traceParent: orNull(task.traceParent),
    createdBy: actorJson(task.createdBy)
  }
}

const taskIdOf = idReader(TaskId)

const toTask = (row: Row): Task => lenient(row).task

/** See Tasks.add. */
const add = (task: NewTask, stamp: Stamp) => (writing: Writing) => {
  const { dedupeKey: key, kind, source } = task.intent
  const holder = key === undefined ? undefined : writing.rows(HOLDER, { key })[0]
  if (holder !== undefined) {
    append(writing, "task_deduped", { taskId: String(holder.task_id) }, { dedupe_key: key, source }, stamp)
    return { created: false, task: toTask(holder) }
  }
  const columns = values(task, stamp)
  writing.changed(ADD, columns)
  append(
    writing,
    "task_enqueued",
    { taskId: task.taskId, attemptId: null, workflowId: columns.workflowId },
    { kind, source, priority: task.priority, available_at: columns.availableAt },
    stamp
  )
  return { created: true, task: recordOf(task, stamp.at) }
}

const counts = (sqlite: Sql) =>
  Effect.map(sqlite.rows(COUNTS), (rows) => {
    const count = (status: TaskStatus) => Number(rows.find((row) => row.status === status)?.n ?? 0)
    return {
      pending: count("pending"),
      running: count("running"),
      completed: count("completed"),
      retryable_failure: count("retryable_failure"),
      permanent_failure: count("permanent_failure"),
      blocked: count("blocked"),
      operator_canceled: count("operator_canceled")
    }
  })

const toTasks = Effect.map((rows: ReadonlyArray<Row>) => rows.map(toTask))

export const make = (sqlite: Sql): Tasks => ({
  add: (task, stamp) => sqlite.write("Tasks.add", add(task, stamp)),
  find: traced("Tasks.find")((taskId) =>
    Effect.map(sqlite.rows(FIND, { taskId }), (rows) => Option.map(Option.fromNullable(rows[0]), lenient))
  ),
  startingWith: traced("Tasks.startingWith")((prefix, limit) =>
    Effect.map(sqlite.rows(STARTING_WITH, { prefix, end: afterAll(prefix), limit }), (rows) =>
      rows.map((row) => taskIdOf(row.task_id))
    )
  ),
  holderOf: traced("Tasks.holderOf")((key) =>
    Effect.map(sqlite.rows(HOLDER, { key }), (rows) =>
      Option.map(Option.fromNullable(rows[0]), (row) => toTask(row).taskId)
    )
  ),
  list: traced("Tasks.list")((filter, page, payloads) => list(sqlite, filter, page, payloads)),
  matching: traced("Tasks.matching")((filter, page) => matching(sqlite, filter, page)),
  upcoming: traced("Tasks.upcoming")((limit, now) => upcoming(sqlite, limit, now)),
  ended: traced("Tasks.ended")((page) => ended(sqlite, page)),
  blocked: traced("Tasks.blocked")((page) => blocked(sqlite, page)),
  search: traced("Tasks.search")((filter, words, page) => search(sqlite, filter, words, page)),
  unfinishedOfOperators: traced("Tasks.unfinishedOfOperators")((most) =>
    Effect.map(sqlite.rows(UNFINISHED_OF_OPERATORS, { most }), (rows) => Number(rows[0]?.n))
  ),
  children: traced("Tasks.children")((taskId, limit) => toTasks(sqlite.rows(CHILDREN, { taskId, limit }))),
  replays: traced("Tasks.replays")((taskId, limit) => toTasks(sqlite.rows(REPLAYS, { taskId, limit }))),
  unfinishedDescendants: traced("Tasks.unfinishedDescendants")((root) =>
    Effect.map(sqlite.rows(UNFINISHED_DESCENDANTS, { root }), (rows) => Number(rows[0]?.n))
  ),
  recentCompleted: traced("Tasks.recentCompleted")((kind, limit) =>
    toTasks(sqlite.rows(RECENT, { kind, limit }))
  ),
  before: traced("Tasks.before")((task, lanes, now) => before(sqlite, task, lanes, now)),
  counts: counts(sqlite),
  nextDue: Ready.nextDue(sqlite),
  promote: traced("Tasks.promote")((now) => Ready.promote(sqlite, time(now))),
  lanes: Ready.lanes(sqlite),
  lanesAfter: traced("Tasks.lanesAfter")((key) => Ready.lanesAfter(sqlite, key)),
  lanesAt: traced("Tasks.lanesAt")((now) => Ready.lanesAt(sqlite, time(now))),
  heads: traced("Tasks.heads")((keys, dueBy) => Claim.heads(sqlite, keys, dueBy)),
  claim: (request) => sqlite.write("Tasks.claim", Claim.claim(request)),
  settle: (settlement) => sqlite.write("Tasks.settle", settle(settlement)),
  beginRound: traced("Tasks.beginRound")((id, at, known) => Moves.beginRound(sqlite, id, at, known)),
  cancel: traced("Tasks.cancel")((id, reason, stamp, told) => Moves.cancel(sqlite, id, reason, stamp, told)),
  requestCancel: traced("Tasks.requestCancel")((id, reason, stamp, told) =>
    Moves.requestCancel(sqlite, id, reason, stamp, told)
  ),
  cancelRequested: traced("Tasks.cancelRequested")((id) => Moves.cancelRequested(sqlite, id)),
  unattended: Unattended.unattended(sqlite),
  isUnattended: traced("Tasks.isUnattended")((id) => Unattended.isUnattended(sqlite, id)),
  setUnattendedAside: (id, problem, stamp) =>
    sqlite.write("Tasks.setUnattendedAside", Unattended.setAside(id, problem, stamp)),
  retry: traced("Tasks.retry")((id, note, stamp, told) => Moves.retry(sqlite, id, note, stamp, told)),
  retryProspects: traced("Tasks.retryProspects")((ids) => retryProspects(sqlite, ids))
})
