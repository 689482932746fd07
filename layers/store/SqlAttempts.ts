import { Effect, Either, Option } from "effect"
import { Attempt } from "../../src/domain/Attempt.ts"
import { BundleRecord } from "../../src/domain/Bundle.ts"
import { AttemptId, RunnerId, TaskId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Attempts, OpenAttempt } from "../../src/store/Attempts.ts"
import { afterAll, json, NO_USAGE, orNull, time } from "./columns.ts"
import { EPOCH, idReader, reader, salvager } from "./rows.ts"
import { append } from "./SqlEvents.ts"
import { occupy } from "./SqlGrounds.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const FIND = statement("SELECT * FROM attempts WHERE attempt_id = :id")
const STARTING_WITH = statement(
  "SELECT attempt_id FROM attempts WHERE attempt_id >= :prefix AND attempt_id < :end ORDER BY attempt_id LIMIT :limit"
)
const OF_TASK = statement(
  "SELECT * FROM (SELECT * FROM attempts WHERE task_id = :id ORDER BY number DESC LIMIT 1000) ORDER BY number"
)
const LAST_OF_TASKS = statement(`
  SELECT attempts.* FROM json_each(:ids) AS wanted CROSS JOIN attempts ON attempts.task_id = wanted.value
    AND number = (SELECT max(number) FROM attempts AS own WHERE own.task_id = wanted.value)`)
const BEGUN = statement(`
  SELECT begun.*, kind, subject FROM (
    SELECT * FROM attempts_by_start WHERE started_at >= :from AND started_at < :end
    ORDER BY started_at DESC, attempt_id DESC LIMIT :limit) AS begun
  CROSS JOIN tasks USING (task_id)`)
// Those that run are few, and the newest: the walk is short.
const LAST_OF = statement(`
  SELECT * FROM attempts_by_start WHERE adapter_id = :adapterId AND status = 'finished' ORDER BY started_at DESC LIMIT 1`)
const SESSION_COST = statement(
  "SELECT session_cost_usd FROM attempts WHERE session_id = :sessionId ORDER BY ended_at DESC LIMIT 1"
)
const OPEN_OF_OTHERS = statement(`
  SELECT attempts.*, runners.lock_path FROM attempts LEFT JOIN runners USING (runner_id)
  WHERE attempts.status = 'running' AND attempts.runner_id <> :mine`)
const OPEN_OF = statement(`
  SELECT attempts.*, runners.lock_path FROM attempts LEFT JOIN runners USING (runner_id)
  WHERE attempts.status = 'running' AND task_id = :id`)
const COMPILED = statement(`
  UPDATE attempts SET bundle_id = :bundleId, bundle_hash = :bundleHash, replay_grade = :replayGrade, profile_id = :profileId,
    adapter_id = :adapterId, adapter_mode = :adapterMode, model = :model, prompt_path = :promptPath,
    stdout_path = :stdoutPath, stderr_path = :stderrPath, result_path = :resultPath
  WHERE attempt_id = :attemptId AND status = 'running'`)
const ADD_BUNDLE = statement(`
  INSERT INTO bundles (bundle_id, task_id, attempt_id, bundle_hash, bundle_version, profile_id, adapter_id, adapter_mode,
    model, replay_grade, relative_path, prompt_relative_path, created_at)
  VALUES (:bundleId, :taskId, :attemptId, :bundleHash, :bundleVersion, :profileId, :adapterId, :adapterMode, :model,
    :replayGrade, :relativePath, :promptRelativePath, :at)`)
const IS_RUNNING = statement("SELECT task_id FROM attempts WHERE attempt_id = :id AND status = 'running'")
const CHILD = statement(
  "UPDATE attempts SET child_pid = :pid, child_start_time = :startTime WHERE attempt_id = :id AND status = 'running'"
)
const FIND_BUNDLE = statement("SELECT * FROM bundles WHERE bundle_id = :id")

export const read = reader("attempts", "attempt_id", Attempt)
const readBundle = reader("bundles", "bundle_id", BundleRecord)

// A damaged column of an attempt is shown empty and named among its issues.
const salvaged = salvager(
  Attempt,
  {
    attempt_id: "unreadable",
    task_id: "unreadable",
    number: 0,
    runner_id: "unreadable",
    started_at: EPOCH,
    usage: JSON.parse(NO_USAGE())
  },
  (problem) => ({ issues: [`this record is damaged: ${problem}`] })
)

const shown = (row: Row): Attempt => Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const attemptIdOf = idReader(AttemptId)
const taskIdOf = idReader(TaskId)
const runnerIdOf = idReader(RunnerId)

const toOpen = (row: Row): OpenAttempt => ({
  attemptId: attemptIdOf(row.attempt_id),
  taskId: taskIdOf(row.task_id),
  runnerId: runnerIdOf(row.runner_id),
  host: String(row.host),
  lockPath: Option.fromNullable(row.lock_path).pipe(Option.map(String)),
  childPid: Option.fromNullable(row.child_pid).pipe(Option.map(Number)),
  childStartTime: Option.fromNullable(row.child_start_time).pipe(Option.map(String))
})

const first = Effect.map((rows: ReadonlyArray<Row>) => Option.fromNullable(rows[0]))

export const make = (sqlite: Sqlite["Type"]): Attempts => ({
  find: traced("Attempts.find")((id) => first(sqlite.rows(FIND, { id })).pipe(Effect.map(Option.map(shown)))),
  startingWith: traced("Attempts.startingWith")((prefix, limit) =>
    Effect.map(sqlite.rows(STARTING_WITH, { prefix, end: afterAll(prefix), limit }), (rows) =>
      rows.map((row) => attemptIdOf(row.attempt_id))
    )
  ),
  lastOfTasks: traced("Attempts.lastOfTasks")((ids) =>
    Effect.map(
      sqlite.rows(LAST_OF_TASKS, { ids: json(ids) }),
      (rows) => new Map(rows.map((row) => [taskIdOf(row.task_id), shown(row)]))
    )
  ),
  ofTask: traced("Attempts.ofTask")((id) =>
    Effect.map(sqlite.rows(OF_TASK, { id }), (rows) => rows.map(shown))
  ),
  begun: traced("Attempts.begun")((since, until, limit) => {
    const end = Option.match(until, { onNone: () => afterAll(""), onSome: time })
    return Effect.map(sqlite.rows(BEGUN, { from: time(since), end, limit }), (rows) =>
      rows.map((row) => ({
        attempt: shown(row),
        kind: String(row.kind),
        subject: Option.map(Option.fromNullable(row.subject), String)
      }))
    )
  }),
  lastOf: traced("Attempts.lastOf")((ids) =>
    Effect.map(
      Effect.forEach(ids, (adapterId) => sqlite.rows(LAST_OF, { adapterId })),
      (found) => new Map(found.flatMap((rows, at) => rows.map((row) => [ids[at] ?? "", shown(row)] as const)))
    )
  ),
  sessionCost: traced("Attempts.sessionCost")((sessionId) =>
    first(sqlite.rows(SESSION_COST, { sessionId })).pipe(
      Effect.map(
        Option.flatMap((row) =>
          typeof row.session_cost_usd === "number" ? Option.some(row.session_cost_usd) : Option.none()
        )
      )
    )
  ),
  openOfOthers: traced("Attempts.openOfOthers")((mine) =>
    Effect.map(sqlite.rows(OPEN_OF_OTHERS, { mine }), (rows) => rows.map(toOpen))
  ),
  openOf: traced("Attempts.openOf")((id) =>
    first(sqlite.rows(OPEN_OF, { id })).pipe(Effect.map(Option.map(toOpen)))
  ),
  compiled: (bundle, evidence, stamp, told = {}) =>
    sqlite.write("Attempts.compiled", (writing) => {
      const model = orNull(bundle.model)
      if (writing.changed(COMPILED, { ...bundle, model, ...evidence }) === 0) return false
      writing.changed(ADD_BUNDLE, { ...bundle, model, at: time(stamp.at) })
      append(
        writing,
        "bundle_compiled",
        { taskId: bundle.taskId, attemptId: bundle.attemptId },
        {
          bundle_id: bundle.bundleId,
          bundle_hash: bundle.bundleHash,
          replay_grade: bundle.replayGrade,
          ...told
        },
        stamp
      )
      return true
    }),
  started: (id, detail, stamp) =>
    sqlite.write("Attempts.started", (writing) => {
      const running = writing.rows(IS_RUNNING, { id })[0]
      if (running === undefined) return false
      append(
        writing,
        "task_started",
        { taskId: String(running.task_id), attemptId: id },
        { adapter_id: detail.adapterId, profile_id: detail.profileId },
        stamp
      )
      return true
    }),
  occupy: (id, ground) => sqlite.write("Attempts.occupy", occupy(id, ground)),
  childStarted: (id, child) =>
    Effect.asVoid(
      sqlite.write("Attempts.childStarted", (writing) => writing.changed(CHILD, { id, ...child }))
    ),
  bundle: traced("Attempts.bundle")((id) =>
    first(sqlite.rows(FIND_BUNDLE, { id })).pipe(
      Effect.map(Option.flatMap((row) => Option.getRight(readBundle(row))))
    )
  )
})
