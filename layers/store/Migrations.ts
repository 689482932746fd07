import type { Database } from "bun:sqlite"
import init from "./migrations/0001_init.sql" with { type: "text" }

export interface Migration {
  readonly id: number
  readonly name: string
  /** Statements, a paragraph each (the driver runs only the first statement of a text). */
  readonly sql: string
}

/** Numbered, never edited after a release; the result is fixtures/golden/schema.sql. */
export const MIGRATIONS: ReadonlyArray<Migration> = [{ id: 1, name: "init", sql: init }]

/** The schema that this program writes and reads. */
export const latest = (migrations: ReadonlyArray<Migration>): number => migrations.at(-1)?.id ?? 0

/** The statements of a migration. */
export const paragraphs = (sql: string): ReadonlyArray<string> =>
  sql.split(/\n\s*\n/).filter((paragraph) => paragraph.replace(/^\s*--.*$/gm, "").trim() !== "")

/** `PRAGMA user_version`: the highest migration that the database has. */
export const versionOf = (db: Database): number =>
  Number((db.query("PRAGMA user_version").get() as { user_version: number }).user_version)

/**
 * Brings a database up to date, each migration in a transaction of its own. `at` is the time that is
 * recorded. Another process that migrates at the same time is waited for; what it did is not done again.
 */
export const migrate = (db: Database, migrations: ReadonlyArray<Migration>, at: string): void => {
  for (const migration of migrations) {
    if (versionOf(db) >= migration.id) continue
    db.run("BEGIN IMMEDIATE")
    try {
      if (versionOf(db) < migration.id) {
        for (const statement of paragraphs(migration.sql)) db.run(statement)
        db.run("INSERT INTO schema_migrations (id, name, applied_at) VALUES (?, ?, ?)", [
          migration.id,
          migration.name,
          at
        ])
        db.run(`PRAGMA user_version = ${migration.id}`)
      }
      db.run("COMMIT")
    } catch (cause) {
      if (db.inTransaction) db.run("ROLLBACK")
      throw cause
    }
  }
}
