import { DateTime, Effect, Option } from "effect"
import { type Lane, MOST_LANES, type Ready } from "../../src/store/Tasks.ts"
import { json } from "./columns.ts"
import { dueLanes } from "./SqlDue.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

// What waits to be claimed: the lanes that have something, and the delayed tasks that come in between when they are due.

// The planner, which knows no figures, would take another index and sort all that it finds.
const DELAYED =
  "tasks INDEXED BY tasks_delayed WHERE ready = 0 AND status IN ('pending', 'retryable_failure')"
// Text after the last time is damage that would never be due: it is promoted, so that the claim finds it.
const NEVER = "'9999-12-31T23:59:59.999Z'"
const PROMOTE = statement(`
  UPDATE tasks SET ready = 1 WHERE task_id IN (
    SELECT task_id FROM (
      SELECT task_id FROM ${DELAYED} AND available_at <= :now ORDER BY available_at, task_id LIMIT 1000)
    UNION ALL
    SELECT task_id FROM (SELECT task_id FROM ${DELAYED} AND available_at > ${NEVER} LIMIT 1000)
    LIMIT 1000)
  RETURNING task_id`)
// Several, because some may not be times.
const NEXT_DUE = statement(`
  SELECT available_at FROM ${DELAYED} ORDER BY available_at, task_id LIMIT 100`)

// Walks the ready index from lane to lane: a seek each, however many tasks a lane has.
const ON = `UNION ALL
    SELECT (SELECT min(lane) FROM tasks WHERE ready = 1 AND lane > lanes.lane) FROM lanes WHERE lane IS NOT NULL
    LIMIT :most)
  SELECT lane FROM lanes WHERE lane IS NOT NULL`
const LANES = statement(`
  WITH RECURSIVE lanes(lane) AS (SELECT min(lane) FROM tasks WHERE ready = 1 ${ON}`)
const LANES_AFTER = statement(`
  WITH RECURSIVE lanes(lane) AS (SELECT min(lane) FROM tasks WHERE ready = 1 AND lane > :key ${ON}`)
// Mostly there is one lane: its ends are the same, and no walk has to find that out.
const ENDS =
  "(SELECT min(lane) FROM tasks WHERE ready = 1) AS lane, (SELECT max(lane) FROM tasks WHERE ready = 1) AS last"
const LANE_ENDS = statement(`SELECT ${ENDS}`)
const IS_ANY_DUE = statement(`
  SELECT EXISTS (SELECT 1 FROM ${DELAYED} AND available_at <= :now)
    OR EXISTS (SELECT 1 FROM ${DELAYED} AND available_at > ${NEVER}) AS due, ${ENDS}`)

interface LaneParts {
  readonly requestedAdapter: string | null
  readonly requestedProfile: string | null
  readonly untrusted: boolean
  readonly workflowTemplate: string | null
}

/**
 * The text of a lane: JSON of adapter, profile, 0 or 1 and, of a workflow's task, the workflow's template, so
 * that any id can stand in it.
 */
export const laneKey = (lane: LaneParts): string =>
  json([
    lane.requestedAdapter,
    lane.requestedProfile,
    lane.untrusted ? 1 : 0,
    ...(lane.workflowTemplate === null ? [] : [lane.workflowTemplate])
  ])

const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === "string"

const DAMAGED: LaneParts = {
  requestedAdapter: null,
  requestedProfile: null,
  untrusted: true,
  workflowTemplate: null
}

const parsed = (key: Row[string] | undefined): unknown => {
  try {
    return JSON.parse(String(key))
  } catch {
    return undefined
  }
}

/** What laneKey wrote. A damaged lane counts as untrusted; the claim sets its tasks aside. */
export const partsOf = (key: Row[string] | undefined): LaneParts => {
  const parts = parsed(key)
  if (!Array.isArray(parts) || parts.length < 3 || parts.length > 4) return DAMAGED
  const [requestedAdapter, requestedProfile, untrusted, workflowTemplate = null]: ReadonlyArray<unknown> =
    parts
  return isTextOrNull(requestedAdapter) &&
    isTextOrNull(requestedProfile) &&
    (untrusted === 0 || untrusted === 1) &&
    (parts.length === 3 || typeof workflowTemplate === "string") &&
    isTextOrNull(workflowTemplate)
    ? { requestedAdapter, requestedProfile, untrusted: untrusted === 1, workflowTemplate }
    : DAMAGED
}

const laneOf = (row: Row): Lane => {
  const { requestedAdapter, requestedProfile, untrusted, workflowTemplate } = partsOf(row.lane)
  return {
    key: String(row.lane),
    requestedAdapter: Option.fromNullable(requestedAdapter),
    requestedProfile: Option.fromNullable(requestedProfile),
    untrusted,
    workflowTemplate: Option.fromNullable(workflowTemplate)
  }
}

type Sql = Sqlite["Type"]

/** The lanes, where their ends are known. */
const between = (sqlite: Sql, ends: ReadonlyArray<Row>) => {
  const found = ends.filter(({ lane }) => lane !== null)
  return found.every(({ lane, last }) => lane === last)
    ? Effect.succeed(found.map(laneOf))
    : Effect.map(sqlite.rows(LANES, { most: MOST_LANES }), (rows) => rows.map(laneOf))
}

/** See Tasks.lanes. */
export const lanes = (sqlite: Sql) => Effect.flatMap(sqlite.rows(LANE_ENDS), (ends) => between(sqlite, ends))

/** See Tasks.lanesAfter. */
export const lanesAfter = (sqlite: Sql, key: string) =>
  Effect.map(sqlite.rows(LANES_AFTER, { key, most: MOST_LANES }), (rows) => rows.map(laneOf))

/** See Tasks.lanesAt. */
export const lanesAt = (sqlite: Sql, now: string) =>
  Effect.gen(function* () {
    const due = (yield* dueLanes(sqlite, now)).map(laneOf)
    const found = new Map([...due, ...(yield* lanes(sqlite))].map((lane) => [lane.key, lane]))
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, MOST_LANES)
  })

/** See Tasks.nextDue. */
export const nextDue = (sqlite: Sql) =>
  Effect.map(sqlite.rows(NEXT_DUE), (rows) =>
    Option.firstSomeOf(rows.map((row) => Option.map(DateTime.make(String(row.available_at)), DateTime.toUtc)))
  )

/** See Tasks.promote. Asks first, because an idle dispatcher must not write. */
export const promote = (sqlite: Sql, now: string) =>
  Effect.flatMap(sqlite.rows(IS_ANY_DUE, { now }), (found) =>
    found[0]?.due === 1
      ? Effect.flatMap(
          sqlite.write("Tasks.promote", (writing) => writing.rows(PROMOTE, { now }).length),
          (promoted) => ready(promoted, lanes(sqlite))
        )
      : ready(0, between(sqlite, found))
  )

const ready = <E>(promoted: number, found: Effect.Effect<ReadonlyArray<Lane>, E>): Effect.Effect<Ready, E> =>
  Effect.map(found, (lanes) => ({ promoted, lanes }))
