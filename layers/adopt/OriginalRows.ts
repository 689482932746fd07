import type { Database } from "bun:sqlite"
import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { AdoptedTable, OriginalDatabase, OriginalRow } from "../../src/store/Original.ts"

const ROWS_AT_ONCE = 500

/** What the original calls a table. */
const NAMES: Readonly<Record<AdoptedTable, string>> = {
  workflows: "workflows",
  tasks: "tasks",
  attempts: "task_attempts",
  bundles: "bundles",
  schedules: "schedules",
  sensor_events: "sensor_events",
  events: "run_events"
}

/** Tables of its housekeeping. */
const NOT_RECORDS = new Set(["schema_migrations", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"])

type Cell = string | number | Uint8Array | null
type Cells = Readonly<Record<string, Cell>>

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const tablesOf = (db: Database): ReadonlySet<string> =>
  new Set(
    db
      .query<{ readonly name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => name)
  )

const countOf = (db: Database, name: string): number =>
  db.query<{ readonly n: number }, []>(`SELECT count(*) AS n FROM ${quoted(name)}`).get()?.n ?? 0

/**
 * Its first migration and the first line of its history: they stay what they are while the database grows, and no
 * two databases share them.
 */
const sourceIdOf = (db: Database): string => {
  const first = db.query<Cells, []>("SELECT * FROM schema_migrations ORDER BY rowid LIMIT 1").get()
  const event = db.query<Cells, []>("SELECT * FROM run_events ORDER BY rowid LIMIT 1").get()
  return createHash("sha256")
    .update(JSON.stringify([first, event]))
    .digest("hex")
}

const ledTo = (db: Database, tables: ReadonlySet<string>): OriginalDatabase["ledTo"] => {
  const rows = tables.has("sensor_events")
    ? db.query<Cells, []>("SELECT task_id, workflow_id FROM sensor_events").all()
    : []
  return {
    tasks: new Set(rows.flatMap(({ task_id }) => (typeof task_id === "string" ? [task_id] : []))),
    workflows: new Set(
      rows.flatMap(({ workflow_id }) => (typeof workflow_id === "number" ? [workflow_id] : []))
    )
  }
}

const PLACE = "adopted_place"

/** What a checked copy of a database of the original holds. */
export const rowsOf = (db: Database): Omit<OriginalDatabase, "path" | "sha256" | "isUnchanged"> => {
  const tables = tablesOf(db)
  const found = (table: AdoptedTable) => (tables.has(NAMES[table]) ? countOf(db, NAMES[table]) : 0)
  const others = [...tables].filter((name) => !Object.values(NAMES).includes(name) && !NOT_RECORDS.has(name))
  const attempts = db.query<{ readonly n: number; readonly open: number }, [string]>(
    "SELECT count(*) AS n, coalesce(sum(status = 'running'), 0) AS open FROM task_attempts WHERE task_id = ?"
  )
  const page = (table: AdoptedTable, after: number): ReadonlyArray<OriginalRow> => {
    if (!tables.has(NAMES[table])) return []
    const of = db.query<Cells, [number, number]>(
      `SELECT rowid AS ${PLACE}, * FROM ${quoted(NAMES[table])} WHERE rowid > ? ORDER BY rowid LIMIT ?`
    )
    return of
      .all(after, ROWS_AT_ONCE)
      .map(({ [PLACE]: rowid, ...cells }) => ({ rowid: Number(rowid), cells }))
  }
  return {
    sourceId: sourceIdOf(db),
    found: {
      workflows: found("workflows"),
      tasks: found("tasks"),
      attempts: found("attempts"),
      bundles: found("bundles"),
      schedules: found("schedules"),
      sensor_events: found("sensor_events"),
      events: found("events")
    },
    remarks: others
      .map((name) => [name, countOf(db, name)] as const)
      .filter(([, count]) => count > 0)
      .map(
        ([name, count]) => `table ${name} is not known here: its ${count} rows stay in the original database`
      ),
    page: (table, after) => Effect.sync(() => page(table, after)),
    attemptsOf: (taskId) =>
      Effect.sync(() => {
        const row = attempts.get(taskId)
        return { count: row?.n ?? 0, open: (row?.open ?? 0) > 0 }
      }),
    ledTo: ledTo(db, tables)
  }
}
