import { DateTime, Effect, Either, Option } from "effect"
import type { Attempt } from "../../src/domain/Attempt.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import { isUsedUp, type Task } from "../../src/domain/Task.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { RecordInvalid } from "../../src/store/StoreError.ts"
import type { Claim, ClaimRequest, Head } from "../../src/store/Tasks.ts"
import { json, NO_USAGE, time } from "./columns.ts"
import { idReader } from "./rows.ts"
import { byTurn, dueHeads } from "./SqlDue.ts"
import { append } from "./SqlEvents.ts"
import { groundColumns } from "./SqlGrounds.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { laneKey, partsOf } from "./SqlReady.ts"
import { statement } from "./statement.ts"
import { strict, type TaskAndRound } from "./taskRows.ts"
import type { Writing } from "./writing.ts"

// A seek for the best of each lane.
const BEST_OF_EACH = `json_each(:lanes) AS open JOIN tasks AS t ON t.task_id = (
    SELECT task_id FROM tasks WHERE ready = 1 AND lane = open.value ORDER BY priority DESC, created_at, task_id LIMIT 1)`
const HEADS = statement(`SELECT t.lane, t.task_id, t.priority, t.created_at FROM ${BEST_OF_EACH}`)
const TASK = `t.*, (SELECT max(number) FROM attempts WHERE attempts.task_id = t.task_id) AS last_number,
    (SELECT attempt_id FROM attempts WHERE attempts.task_id = t.task_id AND attempts.status = 'running') AS open_attempt`
const BEST = statement(`
  SELECT ${TASK} FROM ${BEST_OF_EACH} ORDER BY t.priority DESC, t.created_at, t.task_id LIMIT 1`)
// The same where there is one: nothing is compared, so nothing is made to sort it. With = it would be planned anew each time.
const BEST_OF_ONE = statement(`
  SELECT ${TASK} FROM tasks AS t WHERE ready = 1 AND lane IN (:lane) ORDER BY priority DESC, created_at, task_id LIMIT 1`)
const TAKE = statement(`
  UPDATE tasks SET status = 'running', ready = 0, attempt_count = attempt_count + 1, started_at = :at, finished_at = NULL,
    updated_at = :at, cancel_requested_at = NULL, cancel_json = NULL, to_list = 1
  WHERE task_id = :taskId AND ready = 1`)
const OPEN_ATTEMPT = statement(`
  INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, status, started_at, usage_json,
    working_dir, workspace, listed)
  VALUES (:attemptId, :taskId, :number, :round, :runnerId, :host, 'running', :at, :usage, :dir, :workspace, 0)`)
// The clock was set back after a delayed task was promoted: it waits again.
const DELAY = statement("UPDATE tasks SET ready = 0 WHERE task_id = :taskId AND ready = 1")
const SET_ASIDE = statement(`
  UPDATE tasks SET status = 'blocked', ready = 0, updated_at = :at, last_error = :error, to_list = 1
  WHERE task_id = :taskId AND ready = 1`)

/** See Tasks.heads. A time that is damaged makes its task the oldest: the claim sets it aside. */
export const heads = (sqlite: Sqlite["Type"], keys: ReadonlyArray<string>, dueBy?: DateTime.Utc) =>
  Effect.gen(function* () {
    const due = dueBy === undefined ? [] : yield* dueHeads(sqlite, keys, time(dueBy))
    const rows = [...due, ...(yield* sqlite.rows(HEADS, { lanes: json(keys) }))]
    // Of each lane the first is the last that is put in.
    return new Map(rows.sort((a, b) => byTurn(b, a)).map((row) => [String(row.lane), headOf(row)]))
  })

const headOf = (row: Row): Head => ({
  taskId: taskIdOf(row.task_id),
  priority: Number(row.priority),
  createdAt: Option.getOrElse(Option.map(DateTime.make(String(row.created_at)), DateTime.toUtc), () =>
    DateTime.unsafeMake(0)
  )
})

const taskIdOf = idReader(TaskId)

const setAside = (writing: Writing, taskId: string, problem: string, { stamp }: ClaimRequest): Claim => {
  const error = `this record is damaged: ${problem}`
  writing.changed(SET_ASIDE, { taskId, error, at: time(stamp.at) })
  append(writing, "record_quarantined", { taskId }, { table: "tasks", problem }, stamp)
  return { _tag: "Quarantined", taskId: taskIdOf(taskId), problem, error }
}

// No move leaves a task so; a hand in the database does.
const blockUsedUp = (
  writing: Writing,
  { attemptCount, maxAttempts, taskId, workflowId }: Task,
  { stamp }: ClaimRequest
): Claim => {
  const problem = `it waited with no attempt left: ${attemptCount} of ${maxAttempts} are used up`
  const error = `attempts_used_up: ${problem}`
  writing.changed(SET_ASIDE, { taskId, error, at: time(stamp.at) })
  const subject = { taskId, workflowId: Option.getOrNull(workflowId) }
  append(writing, "task_finished", subject, { status: "blocked", reason: error }, stamp)
  return { _tag: "Quarantined", taskId, problem, error }
}

// The lane was judged before the claim: a task in a lane that is not its own was never judged.
const inItsLane =
  (row: Row) =>
  (sound: TaskAndRound): Either.Either<TaskAndRound, RecordInvalid> => {
    const { requestedAdapter, requestedProfile, untrusted, taskId, workflowId } = sound.task
    const { workflowTemplate } = partsOf(row.lane)
    const own = laneKey({
      requestedAdapter: Option.getOrNull(requestedAdapter),
      requestedProfile: Option.getOrNull(requestedProfile),
      untrusted,
      // The task has no more than the workflow's id.
      workflowTemplate: Option.isSome(workflowId) ? workflowTemplate : null
    })
    return row.lane === own
      ? Either.right(sound)
      : Either.left(
          new RecordInvalid({
            table: "tasks",
            id: taskId,
            problem: `lane: expected ${own}, actual ${row.lane}`
          })
        )
  }

// Somebody has set it to waiting by hand: a second attempt would run beside the first.
const notRunning =
  ({ open_attempt: open }: Row) =>
  (sound: TaskAndRound): Either.Either<TaskAndRound, RecordInvalid> =>
    open === null
      ? Either.right(sound)
      : Either.left(
          new RecordInvalid({
            table: "tasks",
            id: sound.task.taskId,
            problem: `status: ${sound.task.status}, but its attempt ${open} is running`
          })
        )

// What the claim changes, put into what was decoded before it.
const running = ({ task, round }: TaskAndRound, at: DateTime.Utc): TaskAndRound => ({
  task: {
    ...task,
    status: "running",
    attemptCount: task.attemptCount + 1,
    startedAt: Option.some(at),
    finishedAt: Option.none(),
    updatedAt: at
  },
  round
})

/** The record of an attempt that was just opened. */
const opened = (request: ClaimRequest, taskId: TaskId, number: number): Attempt => ({
  attemptId: request.attemptId,
  taskId,
  number,
  runnerId: request.runnerId,
  host: request.host,
  profileId: Option.none(),
  adapterId: Option.none(),
  adapterMode: Option.none(),
  model: Option.none(),
  status: "running",
  startedAt: request.stamp.at,
  endedAt: Option.none(),
  exitStatus: Option.none(),
  retryClass: Option.none(),
  reason: Option.none(),
  bundleId: Option.none(),
  bundleHash: Option.none(),
  replayGrade: Option.none(),
  usage: unknownUsage,
  issues: [],
  promptPath: Option.none(),
  stdoutPath: Option.none(),
  stderrPath: Option.none(),
  resultPath: Option.none()
})

/** So many tasks one claim puts back; the next one goes on. */
const MOST_DELAYED = 1_000

/** The best ready task that is due. */
const bestDue = (writing: Writing, lanes: ReadonlyArray<string>, now: string): Row | undefined => {
  const [lane = null] = lanes
  const find = () =>
    lanes.length === 1 ? writing.rows(BEST_OF_ONE, { lane }) : writing.rows(BEST, { lanes: json(lanes) })
  for (let delayed = 0; delayed < MOST_DELAYED; delayed++) {
    const [best] = find()
    if (best === undefined || !isPutOff(best, now)) return best
    writing.changed(DELAY, { taskId: String(best.task_id) })
  }
  return undefined
}

// See isDue. A due time that is damaged is no time to wait for: the claim sets such a task aside.
const isPutOff = ({ available_at: dueAt, updated_at: movedAt }: Row, now: string): boolean =>
  typeof dueAt === "string" && /^\d{4}-.*Z$/.test(dueAt) && dueAt > now && !(dueAt <= String(movedAt))

/** See Tasks.claim. */
export const claim =
  (request: ClaimRequest) =>
  (writing: Writing): Claim => {
    const { attemptId, host, runnerId, stamp } = request
    const at = time(stamp.at)
    const best = bestDue(writing, request.lanes, at)
    if (best === undefined) return { _tag: "None" }
    const sound = strict(best).pipe(Either.flatMap(inItsLane(best)), Either.flatMap(notRunning(best)))
    if (Either.isLeft(sound)) return setAside(writing, String(best.task_id), sound.left.problem, request)
    if (isUsedUp(sound.right.task)) return blockUsedUp(writing, sound.right.task, request)
    const { round, task } = running(sound.right, stamp.at)
    const { taskId } = task
    const ground = request.grounds?.get(String(best.lane))
    const number = 1 + Number(best.last_number)
    writing.changed(TAKE, { taskId, at })
    writing.changed(OPEN_ATTEMPT, {
      attemptId,
      taskId,
      number,
      round: round.round,
      runnerId,
      host,
      usage: NO_USAGE(),
      ...groundColumns(Option.fromNullable(ground)),
      at
    })
    append(
      writing,
      "task_claimed",
      { taskId, attemptId, workflowId: Option.getOrNull(task.workflowId) },
      { runner_id: runnerId, number, attempt_count: task.attemptCount },
      stamp
    )
    const attempt = opened(request, taskId, number)
    return { _tag: "Claimed", claimed: { task, round, attempt, ...(ground === undefined ? {} : { ground }) } }
  }
