import * as fs from "node:fs"
import { Effect } from "effect"
import type { Maintenance } from "../../src/store/Maintenance.ts"
import { latest, MIGRATIONS } from "./Migrations.ts"
import type { Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const VERSION = statement("PRAGMA user_version")
const JOURNAL = statement("PRAGMA journal_mode")
const QUICK_CHECK = statement("PRAGMA quick_check(20)")
const FOREIGN_KEYS = statement("SELECT * FROM pragma_foreign_key_check LIMIT 20")

/** A journal beyond this is not being checkpointed: some reader holds it, or no process ever closes. */
const WAL_WARNING_BYTES = 256 * 1024 * 1024

const sizeOf = (file: string): number => {
  try {
    return fs.statSync(file).size
  } catch {
    return 0
  }
}

export const make = (sqlite: Sqlite["Type"]): Maintenance => ({
  health: Effect.fn("Maintenance.health")(function* (deep) {
    const schemaVersion = Number((yield* sqlite.rows(VERSION))[0]?.user_version)
    const journalMode = String((yield* sqlite.rows(JOURNAL))[0]?.journal_mode)
    const walBytes = sizeOf(`${sqlite.path}-wal`)
    const problems: Array<string> = []
    if (schemaVersion !== latest(MIGRATIONS))
      problems.push(`the schema is version ${schemaVersion}, expected ${latest(MIGRATIONS)}`)
    if (walBytes > WAL_WARNING_BYTES)
      problems.push(`the journal has grown to ${walBytes} bytes and is not being taken over`)
    if (deep) {
      const found = (yield* sqlite.rows(QUICK_CHECK)).map((row) => String(row.quick_check))
      problems.push(...found.filter((line) => line !== "ok"))
      for (const row of yield* sqlite.rows(FOREIGN_KEYS))
        problems.push(`${row.table} row ${row.rowid} names a ${row.parent} that is not there`)
    }
    return {
      path: sqlite.path,
      schemaVersion,
      journalMode,
      sizeBytes: sizeOf(sqlite.path),
      walBytes,
      problems
    }
  })
})
