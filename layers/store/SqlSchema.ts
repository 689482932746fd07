import { Database } from "bun:sqlite"
import { MIGRATIONS, migrate } from "./Migrations.ts"
import type { Row } from "./Sqlite.ts"
import { statement } from "./statement.ts"

/** What a database says that it is made of: one row for each table, index and trigger that a migration made. */
export const SCHEMA = statement(
  "SELECT type || ' ' || name AS name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
)

/** The highest migration that a database has on record. */
export const RECORDED = statement("SELECT max(id) AS id FROM schema_migrations")

const byName = (rows: ReadonlyArray<Row>): ReadonlyMap<string, string> =>
  new Map(rows.map(({ name, sql }) => [String(name), String(sql)]))

/** What a version's migrations make, by name. */
const expectedSchema = (version: number): ReadonlyMap<string, string> => {
  const db = new Database(":memory:")
  try {
    migrate(
      db,
      MIGRATIONS.filter(({ id }) => id <= version),
      ""
    )
    return byName(db.query<Row, []>(SCHEMA.text).all())
  } finally {
    db.close()
  }
}

/** How the rows of `SCHEMA` differ from what the migrations of a version make; nothing where they do not. */
export const schemaProblems = (version: number, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  if (version < 1) return ["it has no schema"]
  const found = byName(rows)
  const [first, ...more] = [...expectedSchema(version)]
    .filter(([name, sql]) => found.get(name) !== sql)
    .map(([name]) => name)
  if (first === undefined) return []
  const others = more.length === 0 ? "" : `, and ${more.length} more`
  return [`its schema is not that of version ${version}: ${first} is missing or another${others}`]
}

/** Whether the migrations on record are those of the version. */
export const recordProblems = (version: number, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const recorded = Number(rows[0]?.id)
  return recorded === version ? [] : [`it says schema ${version}, its migrations say ${recorded}`]
}
