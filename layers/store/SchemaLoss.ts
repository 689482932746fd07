import { Database } from "bun:sqlite"
import { Effect } from "effect"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { MIGRATIONS, migrate } from "./Migrations.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { orBackup } from "./StoreFile.ts"
import { statement } from "./statement.ts"

const TABLES = statement("SELECT sql FROM sqlite_schema WHERE type = 'table'")
const COLUMNS = statement("SELECT name FROM pragma_table_xinfo(:of)")

/**
 * Refuses a database of the latest schema that lost a table or a column, by name. One whose tables are those that the
 * migrations make costs a look at their texts, a small part of a millisecond; only another is looked at closely: more
 * columns than ours harm nobody, and a lost index is for `healthcheck` to tell.
 */
export const refuseLoss = (sqlite: Sqlite["Type"]): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    if (isAsMade(yield* sqlite.rows(TABLES))) return
    const lost: Array<string> = []
    for (const [table, columns] of columnsOf()) {
      const there = (yield* sqlite.rows(COLUMNS, { of: table })).map(({ name }) => name)
      if (there.length === 0) lost.push(`table ${table}`)
      else
        for (const column of columns)
          if (!there.includes(column)) lost.push(`column ${column} of table ${table}`)
    }
    if (lost.length > 0) return yield* refusal(sqlite.path, lost)
  })

const refusal = (path: string, [first, ...more]: ReadonlyArray<string>): StoreUnavailable =>
  new StoreUnavailable({
    path,
    reason: `it is damaged: ${first} is missing${more.length === 0 ? "" : `, and ${more.length} more`}`,
    remedy: orBackup(path, "put a backup in its place (agent-runtime restore --from FILE)")
  })

/** Whether there is a table for each one that the migrations create, and made by that text, which SQLite keeps. */
export const isAsMade = (tables: ReadonlyArray<Row>): boolean => {
  const text = MIGRATIONS.map(({ sql }) => sql).join("\n")
  const made = tables.filter(({ sql }) => typeof sql === "string" && text.includes(`\n${sql}`))
  return made.length === text.split("\nCREATE TABLE ").length - 1
}

/** The columns of every table that the migrations make. */
const columnsOf = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const db = new Database(":memory:")
  try {
    migrate(db, MIGRATIONS, "")
    const tables = db.query<{ readonly name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    const columns = db.query<{ readonly name: string }, [string]>("SELECT name FROM pragma_table_xinfo(?)")
    return new Map(tables.all().map(({ name }) => [name, columns.all(name).map((column) => column.name)]))
  } finally {
    db.close()
  }
}
