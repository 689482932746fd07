import { Database } from "bun:sqlite"
import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { MIGRATIONS, migrate } from "../../../layers/store/Migrations.ts"
import { TEXTS } from "../../../layers/store/SqlStatuses.ts"
import { statement } from "../../../layers/store/statement.ts"

const folder = join(import.meta.dir, "../../../layers/store")

/** Tables that stay small: a row per status, adapter, table or backup. Whatever else there is may have millions. */
const SMALL = /^SCAN (listed_counts|workflow_counts|gates|backups|schema_migrations|sqlite_sequence)\b/

/** Walks along an index that holds only what is open, or that LIMIT ends. */
const BOUNDED = [
  /^SCAN attempts USING INDEX attempts_open$/,
  /^SCAN attempts USING INDEX sqlite_autoindex_attempts_1$/,
  /^SCAN runners USING INDEX runners_open$/,
  /^SCAN tasks USING INDEX tasks_delayed$/,
  /^SCAN sensor_events USING INDEX sensor_events_created$/,
  /^SCAN schedules USING INDEX sqlite_autoindex_schedules_\d$/,
  // As long as the schema is.
  /^SCAN sqlite_schema$/
]

/** Statements of `health --deep`, which reads everything and says so. */
const DEEP = new Set(["UNATTENDED", "MISCOUNTED", "UNLISTED", "UNTOLD", "FOREIGN_KEYS"])

interface Planned {
  readonly name: string
  readonly sql: string
}

const HOLE_OF_WALK = /\$\{all\}/
const HOLES_OF_COLUMN = /\$\{column\}/g

/** What a statement of a column walks: the lists of a status are those of what a task is now. */
const WALKS: Readonly<Record<string, string>> = {
  status: "tasks_by_status",
  kind: "tasks_by_age",
  source: "tasks_by_age"
}

/**
 * The texts of a module's statements: constants by name, with the module's text constants put in; a statement
 * of a column once for each column that has an index.
 */
const statementsOf = (file: string): ReadonlyArray<Planned> => {
  const source = fs.readFileSync(join(folder, file), "utf8")
  const texts = new Map(
    [...source.matchAll(/^(?:export )?const ([A-Z_]+)\s*=\s*(?:"([^"]*)"|`([^`]*)`)$/gm)].map(
      ([, name = "", plain, template]) => [name, plain ?? template ?? ""] as const
    )
  )
  const filled = (sql: string): string =>
    sql.replace(/\$\{([A-Z_]+)\}/g, (hole, name: string) => texts.get(name) ?? hole)
  const ofColumns = (name: string, sql: string): ReadonlyArray<Planned> =>
    Object.entries(WALKS)
      .filter(([column]) => HOLE_OF_WALK.test(sql) || column !== "status")
      .map(([column, all]) => ({
        name: `${file} ${name}(${column})`,
        sql: sql.replaceAll(HOLES_OF_COLUMN, column).replace(HOLE_OF_WALK, all)
      }))
  return [
    ...source.matchAll(/const (\w+) =\s*(?:\([^)]*\) =>\s*)?statement\(\s*(?:`([^`]*)`|"([^"]*)")\s*\)/g)
  ].flatMap(([, name = "", template, plain]) => {
    const sql = filled(template ?? plain ?? "")
    return sql.search(HOLES_OF_COLUMN) >= 0 ? ofColumns(name, sql) : [{ name: `${file} ${name}`, sql }]
  })
}

const files = fs.readdirSync(folder).filter((name) => /^Sql[A-Z].*\.ts$/.test(name))
// Those of several statuses are put together from a text of each.
const together = Object.entries(TEXTS).map(([name, sql]) => ({ name: `SqlStatuses.ts ${name}`, sql }))
const planned = [...files.flatMap(statementsOf), ...together].filter(({ sql }) => !sql.startsWith("PRAGMA"))

const db = new Database(":memory:")
migrate(db, MIGRATIONS, "2026-04-29T07:00:00.000Z")
const planOf = (sql: string): ReadonlyArray<string> => {
  const of = statement(sql)
  return db
    .query<{ readonly detail: string }, Array<string>>(`EXPLAIN QUERY PLAN ${of.text}`)
    .all(...of.names.map(() => "x"))
    .map((step) => step.detail)
}

describe("the statements of the store", () => {
  test("are all written where this test finds them", () => {
    const written = files
      .map((name) => fs.readFileSync(join(folder, name), "utf8").match(/\bstatement\(/g)?.length ?? 0)
      .reduce((sum, more) => sum + more, 0)
    const found = new Set(files.flatMap(statementsOf).map(({ name }) => name.replace(/\(.*/, "")))
    // The store in memory sets its schema's version by one that is no query.
    expect(found.size + together.length).toBe(written - 1)
  })

  for (const { name, sql } of planned)
    test(`walk an index and no table: ${name}`, () => {
      const plan = planOf(sql)
      if (DEEP.has(name.split(" ")[1] ?? "")) return
      // What a statement makes itself (a subquery's rows, a list of keys) is as small as its LIMIT.
      const made = new Set(plan.flatMap((step) => /^(?:CO-ROUTINE|MATERIALIZE) (.*)$/.exec(step)?.[1] ?? []))
      for (const step of plan) {
        const scanned = /^SCAN (\S+)/.exec(step)?.[1]
        if (scanned === undefined) continue
        const isSmall =
          made.has(scanned) ||
          SMALL.test(step) ||
          /VIRTUAL TABLE|CONSTANT ROW/.test(step) ||
          BOUNDED.some((bounded) => bounded.test(step)) ||
          /ORDER BY id DESC LIMIT/.test(sql)
        expect([name, step, isSmall]).toEqual([name, step, true])
      }
    })

  /** What is not yet in the lists' indexes is at most a batch: a half of what they are merged with. */
  const sortsMore = (plan: ReadonlyArray<string>): boolean =>
    plan.some((step, at) => {
      const half = plan.slice(plan.lastIndexOf("RIGHT", at), at)
      return (
        step.includes("TEMP B-TREE") &&
        !(half[0] === "RIGHT" && half.some((one) => / tasks_to_list /.test(one)))
      )
    })

  // What is sorted: at most as many rows as there are lanes, statuses, adapters, days of them, events of a batch, or a
  // LIMIT inside lets through.
  const SORTS = new Set([
    "SqlClaim.ts BEST",
    "SqlDue.ts LANES",
    "SqlDue.ts BEST",
    "SqlGates.ts COOLDOWNS",
    "SqlTaskList.ts COUNTED",
    "SqlTasks.ts COUNTS",
    "SqlAttempts.ts OF_TASK",
    "SqlEvents.ts NEWEST",
    "SqlEvents.ts OF_TASK",
    "SqlEvents.ts OF_WORKFLOW",
    "SqlUsage.ts SINCE",
    "SqlSetBack.ts FATES_AFTER"
  ])
  test("sort only what is bounded", () => {
    const sorting = planned.filter(
      ({ name, sql }) => !DEEP.has(name.split(" ")[1] ?? "") && sortsMore(planOf(sql))
    )
    expect(sorting.map(({ name }) => name).filter((name) => !SORTS.has(name))).toEqual([])
  })
})
