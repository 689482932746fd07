import { Database } from "bun:sqlite"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { latest, type Migration, migrate } from "./Migrations.ts"
import type { Row } from "./Sqlite.ts"
import { RECORDED, recordProblems } from "./SqlSchema.ts"
import { identity, marksOf, orBackup, refuse } from "./StoreMarks.ts"

const TABLES = "SELECT sql FROM sqlite_schema WHERE type = 'table'"
const COLUMNS = "SELECT name FROM pragma_table_xinfo(?)"

/**
 * Says why a database must not be opened, by what is in it: of another program, newer than `migrations`, without a
 * table or a column that those of its version make, by name, or with other migrations on record. It only reads, and all
 * of it at one moment, so that it may be asked before anything is written. Undefined when the database may be opened.
 *
 * One whose tables are those that the migrations make costs a look at their texts and one row, a small part of a
 * millisecond; only another is looked at closely: more columns than ours harm nobody, and a lost index is for
 * `healthcheck` to tell.
 */
export const refusalOf = (
  db: Database,
  file: string,
  migrations: ReadonlyArray<Migration>
): StoreUnavailable | undefined => {
  db.run("BEGIN")
  try {
    return refused(db, file, migrations)
  } finally {
    if (db.inTransaction) db.run("COMMIT")
  }
}

const refused = (
  db: Database,
  file: string,
  migrations: ReadonlyArray<Migration>
): StoreUnavailable | undefined => {
  const marks = marksOf(db)
  const { version } = marks
  const unknown = identity(file, marks, latest(migrations))
  if (unknown !== undefined) return unknown
  const tables = db.query<Row, []>(TABLES).all()
  if (version === 0)
    // A database appears with its first schema and is never without one: there is nothing to migrate, or to copy.
    return tables.length === 0
      ? undefined
      : damaged(file, "it has tables, and says that it has no schema (user_version 0)")
  const made = migrations.filter(({ id }) => id <= version)
  const [first, ...more] = isAsMade(tables, made) ? [] : lostOf(db, made)
  const recorded = recordedIn(db)
  const newer = identity(file, { ...marks, version: Number(recorded[0]?.id ?? 0) }, latest(migrations))
  if (newer !== undefined) return newer
  if (first !== undefined)
    return damaged(file, `${first} is missing${more.length === 0 ? "" : `, and ${more.length} more`}`)
  const [unlike] = recordProblems(version, recorded)
  return unlike === undefined ? undefined : damaged(file, unlike)
}

/** The row of RECORDED; none where the table or its ids are lost. */
const recordedIn = (db: Database): ReadonlyArray<Row> => {
  const columns = db.query<{ readonly name: string }, [string]>(COLUMNS).all("schema_migrations")
  return columns.some(({ name }) => name === "id") ? db.query<Row, []>(RECORDED.text).all() : []
}

const damaged = (file: string, how: string): StoreUnavailable =>
  refuse(
    file,
    `it is damaged: ${how}`,
    orBackup(file, "put a backup in its place (agent-runtime restore --from FILE)")
  )

/** The tables and columns that the migrations make and a database has not. */
const lostOf = (db: Database, migrations: ReadonlyArray<Migration>): ReadonlyArray<string> => {
  const lost: Array<string> = []
  const there = db.query<{ readonly name: string }, [string]>(COLUMNS)
  for (const [table, columns] of columnsOf(migrations)) {
    const found = there.all(table).map(({ name }) => name)
    if (found.length === 0) lost.push(`table ${table}`)
    else
      for (const column of columns)
        if (!found.includes(column)) lost.push(`column ${column} of table ${table}`)
  }
  return lost
}

/** Whether there is a table for each one that the migrations create, and made by that text, which SQLite keeps. */
export const isAsMade = (tables: ReadonlyArray<Row>, migrations: ReadonlyArray<Migration>): boolean => {
  const text = migrations.map(({ sql }) => `\n${sql}`).join("")
  const made = tables.filter(({ sql }) => typeof sql === "string" && text.includes(`\n${sql}`))
  return made.length === text.split("\nCREATE TABLE ").length - 1
}

/** The columns of every table that the migrations make. */
const columnsOf = (migrations: ReadonlyArray<Migration>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const db = new Database(":memory:")
  try {
    migrate(db, migrations, "")
    const tables = db.query<{ readonly name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    const columns = db.query<{ readonly name: string }, [string]>(COLUMNS)
    return new Map(tables.all().map(({ name }) => [name, columns.all(name).map((column) => column.name)]))
  } finally {
    db.close()
  }
}
