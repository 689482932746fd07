import { DateTime, Effect, Option } from "effect"
import { AttemptId, EventId, TaskId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { OldAttempt, Place, Pruning } from "../../src/store/Pruning.ts"
import { SEAL } from "./BackupSeal.ts"
import { json, time } from "./columns.ts"
import { idReader } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

// A hundred tasks with what belongs to them are about five hundred rows.
const TASKS_AT_ONCE = 100
const ROWS_AT_ONCE = 500

/**
 * Of the task `old`: whether it and all below it have ended before, and nothing needs any of them, so that no
 * parent is ever missing. A replay that has not ended runs the bundle of an attempt.
 */
const REMOVABLE = `NOT EXISTS (
  WITH RECURSIVE below (id) AS (
    SELECT old.task_id UNION SELECT tasks.task_id FROM below CROSS JOIN tasks ON tasks.parent_task_id = below.id)
  SELECT 1 FROM below CROSS JOIN tasks AS task ON task.task_id = below.id
  WHERE (task.status IN ('completed', 'permanent_failure', 'operator_canceled')
    AND task.finished_at < :finishedBefore
    AND task.task_id NOT IN (
      SELECT last_task_id FROM schedules INDEXED BY sqlite_autoindex_schedules_2 WHERE last_task_id IS NOT NULL)
    AND task.task_id NOT IN (SELECT task_id FROM attempts WHERE attempt_id IN (SELECT value FROM json_each(:held)))
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.task_id = task.task_id AND acked_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM workflows WHERE workflows.id = task.workflow_id AND workflows.status <> 'completed')
    AND NOT EXISTS (
      SELECT 1 FROM attempts AS run CROSS JOIN tasks AS again
        ON again.replay_of = run.attempt_id
      WHERE run.task_id = task.task_id AND again.status IN ('pending', 'running', 'retryable_failure', 'blocked'))
  ) IS NOT TRUE)`

// Newest first: what is below a task is mostly newer.
const TASKS = statement(`
  SELECT task_id, created_at, ${REMOVABLE} AS goes FROM tasks_by_age AS old
  WHERE (created_at, task_id) < (:first, :second) ORDER BY created_at DESC, task_id DESC LIMIT :most`)

const OF_TASKS = "task_id IN (SELECT value FROM json_each(:ids))"
const OF_ATTEMPTS = "attempt_id IN (SELECT value FROM json_each(:ids))"
const ATTEMPTS_OF = statement(`SELECT task_id, attempt_id FROM attempts WHERE ${OF_TASKS}`)
const BUNDLES_OF = statement(`SELECT relative_path, prompt_relative_path FROM bundles WHERE ${OF_ATTEMPTS}`)
const REMOVE_BUNDLES = statement(`DELETE FROM bundles WHERE ${OF_ATTEMPTS}`)
const REMOVE_QUESTIONS = statement(`DELETE FROM questions WHERE ${OF_TASKS}`)
const REMOVE_OUTBOX = statement(`DELETE FROM outbox WHERE ${OF_TASKS}`)
const REMOVE_BUDGETS = statement(`DELETE FROM budgets WHERE ${OF_TASKS}`)
const REMOVE_ADOPTED_ROWS = statement(`DELETE FROM adopted_rows WHERE ${OF_TASKS}`)
const REMOVE_ATTEMPTS = statement(`DELETE FROM attempts WHERE ${OF_TASKS}`)
const REMOVE_TASKS = statement(`DELETE FROM tasks WHERE ${OF_TASKS}`)

const ATTEMPTS = statement(`
  SELECT rowid AS place, task_id, attempt_id, (
    status = 'finished' AND ended_at < :endedBefore
    AND attempt_id NOT IN (SELECT value FROM json_each(:held))
    AND (coalesce(prompt_path, stdout_path, stderr_path, result_path) IS NOT NULL
      OR EXISTS (SELECT 1 FROM bundles WHERE bundles.attempt_id = old.attempt_id))
    AND EXISTS (SELECT 1 FROM tasks AS owner WHERE owner.task_id = old.task_id
      AND owner.status IN ('completed', 'permanent_failure', 'operator_canceled'))
    AND NOT EXISTS (SELECT 1 FROM tasks AS again
      WHERE again.replay_of = old.attempt_id
        AND again.status IN ('pending', 'running', 'retryable_failure', 'blocked'))
    AND NOT ${REMOVABLE}) AS goes
  FROM attempts AS old WHERE rowid > :place ORDER BY rowid LIMIT :most`)
const FORGET_PATHS = statement(`
  UPDATE attempts SET prompt_path = NULL, stdout_path = NULL, stderr_path = NULL, result_path = NULL
  WHERE ${OF_ATTEMPTS}`)

const EVENTS = statement("SELECT id, created_at FROM run_events WHERE id > :after ORDER BY id LIMIT :most")
const REMOVE_EVENTS = statement("DELETE FROM run_events WHERE id <= :last")

const RUNNERS = statement(`
  SELECT rowid AS place, (ended_at < :before AND NOT EXISTS (
    SELECT 1 FROM attempts WHERE attempts.status = 'running' AND attempts.runner_id = old.runner_id)) AS goes
  FROM runners AS old WHERE rowid > :place ORDER BY rowid LIMIT :most`)
const FATES = statement(`
  SELECT id AS place, (evaluated_at < :before AND EXISTS (
    SELECT 1 FROM schedule_fates AS later WHERE later.schedule_id = old.schedule_id AND later.id > old.id)) AS goes
  FROM schedule_fates AS old WHERE id > :place ORDER BY id LIMIT :most`)
const REMOVE_RUNNERS = statement("DELETE FROM runners WHERE rowid IN (SELECT value FROM json_each(:places))")
const REMOVE_FATES = statement(
  "DELETE FROM schedule_fates WHERE id IN (SELECT value FROM json_each(:places))"
)
const PAST = {
  runners: { look: RUNNERS, removal: REMOVE_RUNNERS },
  schedule_fates: { look: FATES, removal: REMOVE_FATES }
}

// A row with a seal is in no database but a copy, and `restore` takes it away.
const SINCE = statement(`
  SELECT max((SELECT min(applied_at) FROM schema_migrations),
      coalesce((SELECT max(in_place_since) FROM backups), '')) AS since,
    EXISTS (SELECT 1 FROM backups WHERE sha256 LIKE '${SEAL}%' AND in_place_since IS NULL) AS by_hand`)
const PUT_BY_HAND = statement(
  `UPDATE backups SET in_place_since = :at WHERE sha256 LIKE '${SEAL}%' AND in_place_since IS NULL`
)

const KNOWN_ATTEMPTS = statement(`SELECT attempt_id AS id FROM attempts WHERE ${OF_ATTEMPTS}`)
const KNOWN_TASKS = statement(`SELECT task_id AS id FROM tasks WHERE ${OF_TASKS}`)
const KNOWN_BUNDLES = statement(
  "SELECT bundle_id AS id FROM bundles WHERE bundle_id IN (SELECT value FROM json_each(:ids))"
)
const KNOWN = { attempts: KNOWN_ATTEMPTS, tasks: KNOWN_TASKS, bundles: KNOWN_BUNDLES }

const taskIdOf = idReader(TaskId)
const attemptIdOf = idReader(AttemptId)

const toAttempt = (row: Row): OldAttempt => ({
  taskId: taskIdOf(row.task_id),
  attemptId: attemptIdOf(row.attempt_id)
})

const goes = (row: Row): boolean => row.goes === 1

const placeAfter = (
  rows: ReadonlyArray<Row>,
  most: number,
  of: (row: Row) => readonly [string, string]
): Place => (rows.length < most ? Option.none() : Option.map(Option.fromNullable(rows.at(-1)), of))

const rowAfter = (after: Place): number =>
  Option.match(after, { onNone: () => 0, onSome: ([place]) => Number(place) })

export const make = (sqlite: Sqlite["Type"]): Pruning => {
  /** Looks without a lock, and once more under it where something is to be removed. */
  const batch = <A, E, R>(
    name: string,
    dryRun: boolean,
    look: Effect.Effect<ReadonlyArray<Row>, E, R>,
    counted: (rows: ReadonlyArray<Row>) => Effect.Effect<A, E, R>,
    remove: (rows: ReadonlyArray<Row>) => Effect.Effect<void, E, R>
  ) =>
    Effect.gen(function* () {
      const seen = yield* look
      if (dryRun || !seen.some(goes)) return { seen, batch: yield* counted(seen.filter(goes)) }
      return yield* sqlite.transact(
        name,
        Effect.gen(function* () {
          const again = yield* look
          const found = yield* counted(again.filter(goes))
          yield* remove(again.filter(goes))
          return { seen: again, batch: found }
        })
      )
    })

  const bundlesOf = (attempts: ReadonlyArray<OldAttempt>) =>
    Effect.map(sqlite.rows(BUNDLES_OF, { ids: idsOf(attempts) }), (rows) => ({
      bundles: rows.length,
      bundlePaths: rows.flatMap((row) => [String(row.relative_path), String(row.prompt_relative_path)])
    }))

  const idsOf = (attempts: ReadonlyArray<OldAttempt>): string =>
    json(attempts.map(({ attemptId }) => attemptId))

  const attemptsOf = (tasks: ReadonlyArray<Row>) =>
    Effect.map(sqlite.rows(ATTEMPTS_OF, { ids: json(tasks.map((row) => row.task_id)) }), (rows) =>
      rows.map(toAttempt)
    )

  return {
    tasks: traced("Pruning.tasks")(function* ({ finishedBefore, held }, after, dryRun) {
      const before = time(finishedBefore)
      const [first, second] = Option.getOrElse(after, () => [before, ""] as const)
      const { batch: found, seen } = yield* batch(
        "Pruning.tasks",
        dryRun,
        sqlite.rows(TASKS, {
          finishedBefore: before,
          held: json(held),
          first,
          second,
          most: TASKS_AT_ONCE
        }),
        (tasks) =>
          Effect.gen(function* () {
            const evidence = yield* attemptsOf(tasks)
            return {
              tasks: tasks.length,
              attempts: evidence.length,
              evidence,
              ...(yield* bundlesOf(evidence))
            }
          }),
        (tasks) =>
          Effect.gen(function* () {
            yield* sqlite.rows(REMOVE_BUNDLES, { ids: idsOf(yield* attemptsOf(tasks)) })
            const ids = json(tasks.map((row) => row.task_id))
            for (const removal of [
              REMOVE_QUESTIONS,
              REMOVE_OUTBOX,
              REMOVE_BUDGETS,
              REMOVE_ADOPTED_ROWS,
              REMOVE_ATTEMPTS,
              REMOVE_TASKS
            ])
              yield* sqlite.rows(removal, { ids })
          })
      )
      const next = placeAfter(seen, TASKS_AT_ONCE, (row) => [String(row.created_at), String(row.task_id)])
      return { ...found, next }
    }),
    evidence: traced("Pruning.evidence")(function* (wanted, after, dryRun) {
      const { batch: found, seen } = yield* batch(
        "Pruning.evidence",
        dryRun,
        sqlite.rows(ATTEMPTS, {
          most: ROWS_AT_ONCE,
          endedBefore: time(wanted.endedBefore),
          held: json(wanted.held),
          finishedBefore: Option.match(wanted.finishedBefore, { onNone: () => "", onSome: time }),
          place: rowAfter(after)
        }),
        (attempts) => {
          const evidence = attempts.map(toAttempt)
          return Effect.map(bundlesOf(evidence), (bundles) => ({
            tasks: 0,
            attempts: 0,
            evidence,
            ...bundles
          }))
        },
        (attempts) => {
          const ids = { ids: idsOf(attempts.map(toAttempt)) }
          return Effect.zipRight(
            sqlite.rows(REMOVE_BUNDLES, ids),
            Effect.asVoid(sqlite.rows(FORGET_PATHS, ids))
          )
        }
      )
      return { ...found, next: placeAfter(seen, ROWS_AT_ONCE, (row) => [String(row.place), ""]) }
    }),
    events: traced("Pruning.events")(function* (createdBefore, after, dryRun) {
      const before = time(createdBefore)
      const oldest = Effect.map(sqlite.rows(EVENTS, { after, most: ROWS_AT_ONCE }), (rows) => {
        const kept = rows.findIndex((row) => String(row.created_at) >= before)
        const old = kept < 0 ? rows : rows.slice(0, kept)
        const last = Option.map(Option.fromNullable(old.at(-1)), (row) => EventId.make(Number(row.id)))
        return { count: old.length, last }
      })
      const seen = yield* oldest
      if (dryRun || Option.isNone(seen.last)) return seen
      return yield* sqlite.transact(
        "Pruning.events",
        Effect.gen(function* () {
          const found = yield* oldest
          if (Option.isSome(found.last)) yield* sqlite.rows(REMOVE_EVENTS, { last: found.last.value })
          return found
        })
      )
    }),
    past: traced("Pruning.past")(function* (table, before, after, dryRun) {
      const { look, removal } = PAST[table]
      const { batch: count, seen } = yield* batch(
        "Pruning.past",
        dryRun,
        sqlite.rows(look, { before: time(before), place: rowAfter(after), most: ROWS_AT_ONCE }),
        (old) => Effect.succeed(old.length),
        (old) => Effect.asVoid(sqlite.rows(removal, { places: json(old.map(({ place }) => place)) }))
      )
      return { count, next: placeAfter(seen, ROWS_AT_ONCE, (row) => [String(row.place), ""]) }
    }),
    since: traced("Pruning.since")(function* (at, dryRun) {
      const [found] = yield* sqlite.rows(SINCE)
      const since = Option.map(DateTime.make(String(found?.since)), DateTime.toUtc)
      if (found?.by_hand !== 1) return Option.getOrElse(since, () => at)
      if (!dryRun) yield* sqlite.transact("Pruning.since", sqlite.rows(PUT_BY_HAND, { at: time(at) }))
      return at
    }),
    known: traced("Pruning.known")((table, ids) =>
      Effect.map(
        sqlite.rows(KNOWN[table], { ids: json(ids) }),
        (rows) => new Set(rows.map((row) => String(row.id)))
      )
    )
  }
}
