import type { Database } from "bun:sqlite"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import canonicalize from "canonicalize"
import { WORKFLOW_STATUSES } from "../../src/domain/WorkflowStatuses.ts"
import { attemptEvents, type EventRow, endOf, follow } from "./History.ts"
import { leaksBelow, leaksInArguments } from "./Planted.ts"
import type { Fact } from "./Recorder.ts"
import { reading } from "./Rows.ts"
import { broken } from "./Rules.ts"
import { overlaps, type Sighting } from "./Witness.ts"

export interface Evidence {
  /** The database file. */
  readonly database: string
  /** The folder in which bundles and adapter runs lie; where it is left out no file is looked at. */
  readonly artifacts?: string
  /** What clients were told. */
  readonly facts?: ReadonlyArray<Fact>
  /** What scripts saw of themselves. */
  readonly seen?: ReadonlyArray<Sighting>
  /** No dispatcher is alive and one has swept since: nothing runs any more, in the tables or in /proc. */
  readonly atRest?: boolean
  /**
   * Rows of the original runtime are among them: their files lie elsewhere, their history is older than its ids and
   * knows fewer moves. The rows themselves are checked all the same.
   */
  readonly adopted?: boolean
  /** The folder in which the planted secret may not be; where it is left out nothing is looked for. */
  readonly secretless?: string
  /** How far an event may lie before its predecessor: clocks are read before the commit. */
  readonly clockSkewMs?: number
}

interface TaskRow {
  readonly task_id: string
  readonly status: string
  readonly attempt_count: number
  readonly not_counted: number
  readonly round: number
  readonly finished_at: string | null
}

interface AttemptRow {
  readonly attempt_id: string
  readonly task_id: string
  readonly number: number
  readonly round: number
  readonly status: string
  readonly ended_at: string | null
  readonly exit_status: string | null
  readonly reason: string | null
  readonly bundle_id: string | null
  readonly bundle_hash: string | null
}

interface BundleRow {
  readonly bundle_id: string
  readonly attempt_id: string
  readonly bundle_hash: string
  readonly relative_path: string
  readonly prompt_relative_path: string
}

interface Tables {
  readonly tasks: ReadonlyArray<TaskRow>
  readonly attempts: ReadonlyArray<AttemptRow>
  readonly bundles: ReadonlyArray<BundleRow>
  readonly events: ReadonlyArray<EventRow>
}

const statuses = [
  "pending",
  "running",
  "completed",
  "retryable_failure",
  "permanent_failure",
  "blocked",
  "operator_canceled"
]
const terminal = ["completed", "permanent_failure", "operator_canceled"]
const TIME = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z"

const group = <A>(rows: ReadonlyArray<A>, key: (row: A) => string | null): Map<string, Array<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const row of rows) {
    const name = key(row)
    if (name === null) continue
    const of = groups.get(name)
    if (of === undefined) groups.set(name, [row])
    else of.push(row)
  }
  return groups
}

const integrity = (db: Database): ReadonlyArray<string> => {
  try {
    return db
      .query<{ readonly integrity_check: string }, []>("PRAGMA integrity_check")
      .all()
      .filter((row) => row.integrity_check !== "ok")
      .map((row) => `SQLite says of the file: ${row.integrity_check}`)
  } catch (error) {
    return [`SQLite says of the file: ${error instanceof Error ? error.message : error}`]
  }
}

const references = (db: Database): ReadonlyArray<string> =>
  db
    .query<{ readonly table: string; readonly rowid: number; readonly parent: string }, []>(
      "PRAGMA foreign_key_check"
    )
    .all()
    .map((row) => `${row.table} row ${row.rowid} names a row of ${row.parent} that is not there`)

/** Every column of a time holds the wire's text, every `_json` column holds JSON. */
const columns = (db: Database): ReadonlyArray<string> =>
  db
    .query<{ readonly tab: string; readonly col: string }, []>(
      `SELECT m.name AS tab, c.name AS col FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND (c.name LIKE '%\\_at' ESCAPE '\\' OR c.name LIKE '%\\_json' ESCAPE '\\')`
    )
    .all()
    .flatMap(({ tab, col }) => {
      const wrong = col.endsWith("_json") ? `json_valid("${col}") = 0` : `"${col}" NOT GLOB '${TIME}'`
      return db
        .query<{ readonly rowid: number }, []>(
          `SELECT rowid FROM "${tab}" WHERE "${col}" IS NOT NULL AND ${wrong} LIMIT 5`
        )
        .all()
        .map(
          ({ rowid }) =>
            `${tab} row ${rowid}: ${col} is not ${col.endsWith("_json") ? "JSON" : "a time in UTC"}`
        )
    })

const counters = (db: Database): ReadonlyArray<string> =>
  [
    ...statuses.map((status) => ["tasks", "task_counts", status] as const),
    ...WORKFLOW_STATUSES.map((status) => ["workflows", "workflow_counts", status] as const)
  ].flatMap(([table, counts, status]) => {
    const real =
      db
        .query<{ readonly n: number }, [string]>(`SELECT count(*) AS n FROM ${table} WHERE status = ?`)
        .get(status)?.n ?? 0
    const kept = db
      .query<{ readonly n: number }, [string]>(`SELECT n FROM ${counts} WHERE status = ?`)
      .get(status)?.n
    return kept === real ? [] : [`${counts} says ${kept ?? "nothing"} of ${status}, there are ${real}`]
  })

/** What no list would show: neither in an index nor among the rest that is read beside it. */
const lists = (db: Database): ReadonlyArray<string> => {
  const found = (sql: string) => db.query<{ readonly id: string }, []>(sql).all()
  const attempts = found(`SELECT attempt_id AS id FROM attempts WHERE listed = 0
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.task_id = attempts.task_id AND to_list = 1)`)
  const tasks = found("SELECT task_id AS id FROM tasks WHERE to_list = 0 AND listed_status IS NOT status")
  const events = found(`SELECT id FROM run_events WHERE task_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM events_by_task AS told WHERE told.task_id = run_events.task_id AND told.id = run_events.id)`)
  return [
    ...attempts.map(({ id }) => `attempt ${id} is in no list of attempts`),
    ...tasks.map(({ id }) => `task ${id} is in no list of its status`),
    ...events.map(({ id }) => `event ${id} is not among those of its task`)
  ]
}

const read = (db: Database): Tables => ({
  tasks: db.query<TaskRow, []>("SELECT * FROM tasks ORDER BY task_id").all(),
  attempts: db.query<AttemptRow, []>("SELECT * FROM attempts ORDER BY task_id, number").all(),
  bundles: db.query<BundleRow, []>("SELECT * FROM bundles ORDER BY bundle_id").all(),
  events: db
    .query<Omit<EventRow, "detail"> & { readonly detail_json: string }, []>(
      "SELECT * FROM run_events ORDER BY id"
    )
    .all()
    .map((row) => ({ ...row, detail: JSON.parse(row.detail_json) }))
})

const checkTask = (
  task: TaskRow,
  attempts: ReadonlyArray<AttemptRow>,
  events: ReadonlyArray<EventRow>,
  isAdopted: boolean
): ReadonlyArray<string> => {
  const { task_id: id } = task
  const problems: Array<string> = []
  const numbers = attempts.map((attempt) => attempt.number)
  const open = attempts.filter((attempt) => attempt.status === "running").length
  const told = follow(id, events)
  const ofRound = attempts.filter((attempt) => attempt.round === task.round).length
  if (!statuses.includes(task.status))
    problems.push(`task ${id} has the status ${task.status}, which is none`)
  if (numbers.some((number, at) => number !== at + 1))
    problems.push(`the attempts of task ${id} are numbered ${numbers.join(", ")}, not 1 to ${numbers.length}`)
  if (open > 1) problems.push(`task ${id} has ${open} running attempts`)
  if ((task.status === "running") !== open > 0)
    problems.push(`task ${id} is ${task.status} with ${open} running attempts`)
  if (terminal.includes(task.status) !== (task.finished_at !== null) && task.status !== "blocked")
    problems.push(`task ${id} is ${task.status} and finished_at is ${task.finished_at ?? "not set"}`)
  if (task.attempt_count + task.not_counted !== ofRound)
    problems.push(
      `task ${id} counts ${task.attempt_count} attempts and ${task.not_counted} taken back, its round has ${ofRound}`
    )
  if (isAdopted) return problems
  if (told.status !== task.status)
    problems.push(`task ${id} is ${task.status}, its events left it ${told.status}`)
  return [...problems, ...told.problems, ...attempts.flatMap((attempt) => attemptEvents(attempt, events))]
}

const checkAttempt = (attempt: AttemptRow, atRest: boolean): ReadonlyArray<string> => {
  const { attempt_id: id } = attempt
  if (attempt.status === "running") {
    return [
      ...(attempt.ended_at === null ? [] : [`attempt ${id} is running and has an end`]),
      ...(atRest ? [`attempt ${id} is still running though nobody works`] : [])
    ]
  }
  return [
    ...(attempt.ended_at === null ? [`attempt ${id} is ${attempt.status} and has no ended_at`] : []),
    ...(attempt.exit_status === null && (attempt.reason ?? "") === ""
      ? [`attempt ${id} ended with neither exit status nor reason`]
      : [])
  ]
}

const checkBundle = (
  bundle: BundleRow,
  attempt: AttemptRow | undefined,
  artifacts: string | undefined
): ReadonlyArray<string> => {
  const { bundle_id: id } = bundle
  const belongs =
    attempt?.bundle_id === id && attempt.bundle_hash === bundle.bundle_hash
      ? []
      : [`bundle ${id} and its attempt ${bundle.attempt_id} do not name each other`]
  if (artifacts === undefined) return belongs
  const missing = [bundle.relative_path, bundle.prompt_relative_path].filter(
    (path) => !existsSync(join(artifacts, path))
  )
  if (missing.length > 0)
    return [...belongs, ...missing.map((path) => `bundle ${id} names ${path}, which is not there`)]
  const text = readFileSync(join(artifacts, bundle.relative_path), "utf8")
  try {
    const content: { readonly [key: string]: unknown } = JSON.parse(text)
    const { bundle_id: inFile, ...hashed } = content
    const hash = createHash("sha256")
      .update(canonicalize(hashed) ?? "")
      .digest("hex")
    return [
      ...belongs,
      ...(inFile === id ? [] : [`the file of bundle ${id} says that it is ${inFile}`]),
      ...(hash === bundle.bundle_hash
        ? []
        : [`bundle ${id} hashes to ${hash}, its row says ${bundle.bundle_hash}`]),
      ...(text === `${canonicalize(content)}\n`
        ? []
        : [`the file of bundle ${id} is not canonical JSON and a newline`])
    ]
  } catch {
    return [...belongs, `the file of bundle ${id} is not JSON`]
  }
}

const checkOrder = (events: ReadonlyArray<EventRow>, skewMs: number): ReadonlyArray<string> =>
  events.flatMap((event, at) => {
    const before = events[at - 1]
    if (before === undefined) return []
    return [
      ...(event.id > before.id ? [] : [`event ${event.id} follows event ${before.id}`]),
      ...(Date.parse(event.created_at) >= Date.parse(before.created_at) - skewMs
        ? []
        : [`event ${event.id} was created at ${event.created_at}, its predecessor at ${before.created_at}`])
    ]
  })

/** Rows by what facts name them by: there may be ten thousand of both. */
interface Named {
  readonly tasks: ReadonlyMap<string, ReadonlyArray<TaskRow>>
  readonly attempts: ReadonlyMap<string, AttemptRow>
  readonly events: ReadonlyMap<number, EventRow>
  /** All events, oldest first. */
  readonly history: ReadonlyArray<EventRow>
}

const checkFact = (fact: Fact, { attempts, events, history, tasks }: Named): ReadonlyArray<string> => {
  switch (fact.told) {
    case "queued": {
      const found = tasks.get(fact.taskId)?.length ?? 0
      return found === 1 ? [] : [`task ${fact.taskId} was acknowledged and is there ${found} times`]
    }
    case "ran": {
      const attempt = attempts.get(fact.attemptId)
      if (attempt?.task_id !== fact.taskId || attempt.status !== "finished")
        return [
          `attempt ${fact.attemptId} was reported as ${fact.status} and is ${attempt?.status ?? "not there"}`
        ]
      const end = endOf(fact.attemptId, history)
      const ended = follow(
        fact.taskId,
        history.filter((event) => event.task_id === fact.taskId && event.id <= end)
      )
      return ended.status === fact.status
        ? []
        : [`attempt ${fact.attemptId} was reported as ${fact.status}, the events say ${ended.status}`]
    }
    case "event": {
      const event = events.get(fact.id)
      return event?.event_type === fact.eventType && event.created_at === fact.createdAt
        ? []
        : [`event ${fact.id} was shown as ${fact.eventType} and is ${event?.event_type ?? "not there"}`]
    }
  }
}

const checkSeen = (seen: ReadonlyArray<Sighting>, { attempts }: Tables): ReadonlyArray<string> => [
  ...overlaps(seen),
  ...seen.flatMap(({ what, taskId, attemptId }) => {
    if (what !== "start") return []
    const attempt = attempts.find((one) => one.attempt_id === attemptId && one.task_id === taskId)
    if (attempt === undefined) return [`attempt ${attemptId} of task ${taskId} ran and is not recorded`]
    return attempt.bundle_id === null ? [`attempt ${attemptId} ran without a bundle`] : []
  })
]

/** An attempt's processes are gone when its end is recorded; /proc is allowed to tell so a second later. */
const GONE_WITHIN_MS = 1_000

/** Attempts that ended long enough ago for nobody to carry their mark; at rest that is all of them. */
const goneBy = (attempts: ReadonlyArray<AttemptRow>, atRest: boolean): ReadonlySet<string> =>
  new Set(
    attempts
      .filter(
        ({ ended_at }) => atRest || (ended_at !== null && Date.parse(ended_at) <= Date.now() - GONE_WITHIN_MS)
      )
      .map(({ attempt_id }) => attempt_id)
  )

/** Processes that still carry the mark of one of these attempts. */
export const processesOf = (
  attemptIds: ReadonlySet<string>
): ReadonlyArray<{ readonly pid: number; readonly attemptId: string }> =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const marks = readFileSync(`/proc/${name}/environ`, "latin1").split("\0")
      const mark = marks
        .find((entry) => entry.startsWith("AGENT_RUNTIME_ATTEMPT_ID="))
        ?.slice("AGENT_RUNTIME_ATTEMPT_ID=".length)
      return mark !== undefined && attemptIds.has(mark) ? [{ pid: Number(name), attemptId: mark }] : []
    } catch {
      return [] // It ended meanwhile, or belongs to somebody else.
    }
  })

const checkTables = (db: Database, evidence: Omit<Evidence, "database">): ReadonlyArray<string> => {
  const tables = read(db)
  const attemptsOf = group(tables.attempts, (attempt) => attempt.task_id)
  const eventsOf = group(tables.events, (event) => event.task_id)
  const attempts = new Map(tables.attempts.map((attempt) => [attempt.attempt_id, attempt]))
  const known = group(tables.tasks, (task) => task.task_id)
  const named: Named = {
    tasks: known,
    attempts,
    events: new Map(tables.events.map((event) => [event.id, event])),
    history: tables.events
  }
  const left = processesOf(goneBy(tables.attempts, evidence.atRest === true))
  return [
    ...tables.tasks.flatMap((task) =>
      checkTask(
        task,
        attemptsOf.get(task.task_id) ?? [],
        eventsOf.get(task.task_id) ?? [],
        evidence.adopted === true
      )
    ),
    ...tables.attempts.flatMap((attempt) => checkAttempt(attempt, evidence.atRest === true)),
    ...tables.bundles.flatMap((bundle) =>
      checkBundle(
        bundle,
        attempts.get(bundle.attempt_id),
        evidence.adopted === true ? undefined : evidence.artifacts
      )
    ),
    ...[...eventsOf.keys()]
      .filter((id) => !known.has(id))
      .map((id) => `events tell of task ${id}, which is not there`),
    ...checkOrder(
      tables.events,
      evidence.adopted === true ? Number.POSITIVE_INFINITY : (evidence.clockSkewMs ?? 10_000)
    ),
    ...(evidence.facts ?? []).flatMap((fact) => checkFact(fact, named)),
    ...checkSeen(evidence.seen ?? [], tables),
    ...left.map(({ pid, attemptId }) => `process ${pid} of attempt ${attemptId} is still alive`)
  ]
}

const secrets = ({ secretless }: Omit<Evidence, "database">): ReadonlyArray<string> =>
  secretless === undefined ? [] : [...leaksBelow(secretless), ...leaksInArguments()]

/** Everything in a state folder that breaks a promise of the runtime, a sentence each; empty when all hold. */
export const check = (evidence: Evidence): ReadonlyArray<string> => {
  if (!existsSync(evidence.database)) {
    const told = (evidence.facts ?? []).length
    return told === 0 ? [] : [`${told} facts were told and there is no database`]
  }
  const db = reading(evidence.database)
  try {
    return inspect(db, evidence)
  } finally {
    db.close()
  }
}

/** The same of an open database. */
export const inspect = (db: Database, evidence: Omit<Evidence, "database">): ReadonlyArray<string> => {
  const unsound = integrity(db)
  const damaged = unsound.length > 0 ? unsound : columns(db)
  // Tables that cannot be trusted tell nothing more.
  return damaged.length > 0
    ? damaged
    : [
        ...references(db),
        ...counters(db),
        ...lists(db),
        ...broken(db),
        ...checkTables(db, evidence),
        ...secrets(evidence)
      ]
}
