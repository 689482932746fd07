import { type DateTime, Effect, Option, Schema } from "effect"

import { Actor, type Stamp } from "../../src/domain/Actor.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { KnownFile, type Task } from "../../src/domain/Task.ts"
import { onFirstUse, whenUsed } from "../../src/domain/Wire.ts"
import type { Moved } from "../../src/store/Tasks.ts"
import { json, orNull, time } from "./columns.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { lastMove } from "./SqlLastMove.ts"
import { retryProspects } from "./SqlRetryProspects.ts"
import { cancel as cancelUnattended } from "./SqlUnattended.ts"
import { forget, withdraw } from "./SqlWithdraw.ts"
import { statement } from "./statement.ts"
import { lenient } from "./taskRows.ts"

const FIND = statement("SELECT * FROM tasks WHERE task_id = :taskId")
const CANCEL = statement(`
  UPDATE tasks SET status = 'operator_canceled', ready = 0, updated_at = :at, finished_at = :at,
    to_list = 1
  WHERE task_id = :taskId AND status IN ('pending', 'retryable_failure', 'blocked') RETURNING *`)
const REQUEST_CANCEL = statement(`
  UPDATE tasks SET cancel_requested_at = :at, cancel_json = :cancel, updated_at = :at
  WHERE task_id = :taskId AND status = 'running' AND cancel_requested_at IS NULL RETURNING *`)
const CANCEL_REQUESTED = statement(
  "SELECT cancel_json FROM tasks WHERE task_id = :taskId AND status = 'running' AND cancel_requested_at IS NOT NULL"
)
const RETRY = statement(`
  UPDATE tasks SET status = 'pending', ready = 1, attempt_count = 0, round = round + 1, round_started_at = NULL,
    not_counted = 0, known_json = NULL, note = :note, available_at = :at, updated_at = :at, finished_at = NULL,
    cancel_requested_at = NULL, cancel_json = NULL, to_list = 1
  WHERE task_id = :taskId AND status IN ('blocked', 'permanent_failure', 'operator_canceled', 'completed') RETURNING *`)
const BEGIN_ROUND = statement(`
  UPDATE tasks SET round_started_at = :at, known_json = :known WHERE task_id = :taskId AND round_started_at IS NULL`)

type Sql = Sqlite["Type"]

const taskOf = (row: Row): Task => lenient(row).task

/** A refusal says who was there before: of two operators at once one wins, and the other is told by whom and when. */
const notMoved = (sqlite: Sql, row: Row | undefined, why: (task: Task) => string) =>
  Effect.gen(function* () {
    if (row === undefined) return { _tag: "NotFound" } satisfies Moved
    const task = taskOf(row)
    const before = yield* lastMove(sqlite, task.taskId)
    const sentence = [why(task), ...Option.toArray(before)].join("; ")
    return { _tag: "Refused", task, why: sentence } satisfies Moved
  })

/** See Tasks.cancel. */
export const cancel = (
  sqlite: Sql,
  taskId: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp,
  told: JsonObject = {}
) =>
  sqlite.transact(
    "Tasks.cancel",
    Effect.gen(function* () {
      const before = (yield* sqlite.rows(FIND, { taskId }))[0]
      const moved = (yield* sqlite.rows(CANCEL, { taskId, at: time(stamp.at) }))[0]
      if (moved === undefined)
        return yield* notMoved(sqlite, before, (task) =>
          task.status === "running"
            ? "it is running; cancel it with force to stop its processes"
            : `it is ${task.status} already`
        )
      const detail = {
        from: String(before?.status),
        reason: Option.getOrNull(reason),
        ...(yield* withdraw(sqlite, taskId, time(stamp.at))),
        ...told
      }
      yield* appendEvent(
        sqlite,
        "task_operator_canceled",
        { taskId, workflowId: workflowOf(moved) },
        detail,
        stamp
      )
      return { _tag: "Moved", task: taskOf(moved) } satisfies Moved
    })
  )

/** See Tasks.requestCancel. */
export const requestCancel = (
  sqlite: Sql,
  taskId: TaskId,
  reason: Option.Option<string>,
  stamp: Stamp,
  told: JsonObject = {}
) =>
  sqlite.transact(
    "Tasks.requestCancel",
    Effect.gen(function* () {
      const ended = yield* sqlite.write("Tasks.requestCancel", cancelUnattended(taskId, reason, stamp, told))
      if (Option.isSome(ended)) return { _tag: "Moved", task: taskOf(ended.value) } satisfies Moved
      const request = { actor: stamp.actor, reason: Option.getOrNull(reason) }
      const moved = (yield* sqlite.rows(REQUEST_CANCEL, {
        taskId,
        at: time(stamp.at),
        cancel: json(request)
      }))[0]
      if (moved === undefined)
        return yield* notMoved(sqlite, (yield* sqlite.rows(FIND, { taskId }))[0], (task) =>
          task.status === "running"
            ? "its processes are being stopped already"
            : `it is not running, it is ${task.status}`
        )
      const detail = { reason: request.reason, ...told }
      yield* appendEvent(sqlite, "task_cancel_requested", { taskId }, detail, stamp)
      return { _tag: "Moved", task: taskOf(moved) } satisfies Moved
    })
  )

const CancelRequest = whenUsed(() =>
  Schema.parseJson(Schema.Struct({ actor: Actor, reason: Schema.OptionFromNullOr(Schema.String) }))
)

/** See Tasks.cancelRequested. */
export const cancelRequested = (sqlite: Sql, taskId: TaskId) =>
  sqlite.rows(CANCEL_REQUESTED, { taskId }).pipe(
    Effect.map((rows) =>
      Option.fromNullable(rows[0]).pipe(
        Option.map((row) =>
          Option.getOrElse(Schema.decodeUnknownOption(CancelRequest)(row.cancel_json), () => ({
            actor: { surface: "cli" as const, name: "unknown" },
            reason: Option.none<string>()
          }))
        )
      )
    )
  )

const workflowOf = (row: Row): number | null => (typeof row.workflow_id === "number" ? row.workflow_id : null)

/** See Tasks.retry. `told` is what its event tells beside: of an answer, the question and the answer. */
export const retry = (
  sqlite: Sql,
  taskId: TaskId,
  note: Option.Option<string>,
  stamp: Stamp,
  told: JsonObject = {}
) =>
  sqlite.transact(
    "Tasks.retry",
    Effect.gen(function* () {
      const before = (yield* sqlite.rows(FIND, { taskId }))[0]
      if (before === undefined) return { _tag: "NotFound" } satisfies Moved
      const prospect = Option.fromNullable((yield* retryProspects(sqlite, [taskId])).get(taskId))
      const why = Option.flatMap(prospect, ({ rival, unheard }) =>
        Option.isNone(rival) && Option.isSome(note) ? unheard : rival
      )
      if (Option.isSome(why)) return { _tag: "Refused", task: taskOf(before), why: why.value } satisfies Moved
      const moved = (yield* sqlite.rows(RETRY, { taskId, note: orNull(note), at: time(stamp.at) }))[0]
      if (moved === undefined)
        return yield* notMoved(
          sqlite,
          before,
          (task) => `it is ${task.status}, which is not an end that can be retried`
        )
      if (before.status === "completed" || before.status === "operator_canceled")
        yield* forget(sqlite, taskId)
      const detail = {
        from: String(before.status),
        round: Number(moved.round),
        note: Option.getOrNull(note),
        ...(yield* withdraw(sqlite, taskId, time(stamp.at))),
        ...told
      }
      yield* appendEvent(sqlite, "task_retried", { taskId, workflowId: workflowOf(moved) }, detail, stamp)
      return { _tag: "Moved", task: taskOf(moved) } satisfies Moved
    })
  )

const encodeKnown = onFirstUse(() => Schema.encodeSync(Schema.parseJson(Schema.Array(KnownFile))))

/** See Tasks.beginRound. */
export const beginRound = (
  sqlite: Sql,
  taskId: TaskId,
  at: DateTime.Utc,
  known: ReadonlyArray<KnownFile>
) => {
  const values = { taskId, at: time(at), known: encodeKnown()(known) }
  return Effect.asVoid(sqlite.write("Tasks.beginRound", (writing) => writing.changed(BEGIN_ROUND, values)))
}
