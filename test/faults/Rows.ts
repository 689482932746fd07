import { Database } from "bun:sqlite"

const WAITS_MS = 10_000

/** A database to look into, beside who works on it: what another process locks, it waits for. */
export const reading = (file: string): Database => {
  const db = new Database(file, { readonly: true })
  db.run(`PRAGMA busy_timeout = ${WAITS_MS}`)
  return db
}

/** What a query finds in a database beside who works on it. */
export const rows = <Row>(
  file: string,
  sql: string,
  ...params: ReadonlyArray<string>
): ReadonlyArray<Row> => {
  const db = reading(file)
  try {
    return db.query<Row, Array<string>>(sql).all(...params)
  } finally {
    db.close()
  }
}
