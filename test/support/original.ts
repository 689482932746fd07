import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { join } from "node:path"

/** A database of the original runtime, made by it: every status, a running task, workflows, sensor events. */
export const EXAMPLE = join(import.meta.dir, "..", "..", "fixtures", "databases", "original-runtime.db")

type Cell = string | number | null
type Row = Readonly<Record<string, Cell>>

const at = (second: number): string => new Date(Date.UTC(2026, 3, 29, 7, 0, second)).toISOString()

export const originalTask = (id: string, cells: Row = {}): Row => ({
  task_id: id,
  kind: "note",
  source: "test",
  subject: null,
  description: null,
  priority: 5,
  payload_json: "{}",
  requested_profile: "plain",
  requested_adapter: "",
  status: "pending",
  created_at: at(0),
  updated_at: at(0),
  attempt_count: 0,
  max_attempts: 3,
  available_at: at(0),
  started_at: null,
  finished_at: null,
  outcome_json: null,
  last_error: null,
  ...cells
})

export const originalAttempt = (id: string, task: string, cells: Row = {}): Row => ({
  attempt_id: id,
  task_id: task,
  adapter_id: "echo",
  adapter_kind: "script",
  model: null,
  runner_id: "old:1:2026-04-29T07:00:00.000Z",
  bundle_id: null,
  status: "finished",
  started_at: at(1),
  ended_at: at(2),
  exit_status: "ok",
  retry_class: "none",
  prompt_path: null,
  stdout_path: null,
  stderr_path: null,
  result_path: null,
  diagnostics_json: null,
  ...cells
})

export const originalEvent = (type: string, cells: Row = {}): Row => ({
  event_type: type,
  task_id: null,
  attempt_id: null,
  detail_json: "{}",
  created_at: at(0),
  ...cells
})

export const originalWorkflow = (key: string, cells: Row = {}): Row => ({
  template: "goal-loop",
  instance_key: key,
  current_state: "plan",
  context_json: "{}",
  created_at: at(0),
  updated_at: at(0),
  completed_at: null,
  ...cells
})

interface Contents {
  /** Statements that change the schema before rows are added. */
  readonly schema?: ReadonlyArray<string>
  readonly rows?: Readonly<Record<string, ReadonlyArray<Row>>>
}

const insert = (db: Database, table: string, row: Row): void => {
  const names = Object.keys(row)
  db.run(
    `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    Object.values(row)
  )
}

/** Adds rows to a database of the original. */
export const addRows = (file: string, rows: Contents["rows"] = {}): void => {
  const db = new Database(file, { readwrite: true, create: false })
  for (const [table, all] of Object.entries(rows)) for (const row of all) insert(db, table, row)
  db.close()
}

/** Changes rows of a database of the original. */
export const change = (file: string, statement: string): void => {
  const db = new Database(file, { readwrite: true, create: false })
  db.run(statement)
  db.close()
}

/** Makes a database with the schema of the example and none of its rows. */
export const makeOriginal = (file: string, { rows, schema = [] }: Contents = {}): void => {
  fs.copyFileSync(EXAMPLE, file)
  const db = new Database(file, { readwrite: true, create: false })
  for (const table of [
    "bundles",
    "task_attempts",
    "tasks",
    "run_events",
    "workflows",
    "schedules",
    "sensor_events"
  ])
    db.run(`DELETE FROM ${table}`)
  db.run("DELETE FROM sqlite_sequence")
  for (const statement of schema) db.run(statement)
  db.close()
  addRows(file, rows)
}
