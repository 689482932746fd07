import { Database, type Statement } from "bun:sqlite"
import { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Value } from "./statement.ts"

// SQLite's own wait stalls the event loop, so it is short and the fiber waits instead.
const BUSY_TIMEOUT_MS = 20

/**
 * So many pages of the journal are taken over into the database at once, 16 MiB. The pages of each commit are mostly
 * those of the one before: the more of them together, the fewer are written twice and the rarer is the wait for both files.
 */
const CHECKPOINT_PAGES = 8_000

/**
 * Of pages in hand. The inner ones of all indexes of a million tasks find room with the writer, and each is read once;
 * the reader serves what the writer is too busy for.
 */
const CACHE_KIB = { writer: 6_144, reader: 2_048 }

/** After a checkpoint the journal is cut to this: one long reader must not leave a huge file for good. */
const JOURNAL_BYTES = 64 * 1024 * 1024

// The texts are constants (statement.ts), a few hundred in all: kept ready, none is compiled twice. Bun keeps 20, and
// an attempt's way takes more: each was compiled anew every time.
Database.MAX_QUERY_CACHE_SIZE = 1_000

export interface OpenOptions {
  /** `:memory:` or a file that exists (see StoreFile). */
  readonly filename: string
  /** The path by which it is configured, where that is another one: links on the way may be turned. */
  readonly configured?: string
  readonly durability: "full" | "normal"
  /** Says why the database of a file must not be opened; asked before anything is written. */
  readonly refusal?: (db: Database) => StoreUnavailable | undefined
  /** A database in memory that is open and stays so: what a process of a simulation leaves to the next. */
  readonly inherited?: Database
}

/** The `code` of an error of SQLite, `SQLITE_BUSY` for instance; empty when it has none. */
export const codeOf = (error: unknown): string => {
  const cause = error instanceof SqlError ? error.cause : error
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
}

/** Whether another connection is in the way, so that trying again may help. */
export const isBusy = (error: unknown): error is SqlError =>
  error instanceof SqlError && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(error))

const opened = (options: OpenOptions, role: "writer" | "reader"): Database => {
  if (options.inherited !== undefined) return options.inherited
  const memory = options.filename === ":memory:"
  const db = memory
    ? new Database(":memory:")
    : new Database(options.filename, { readwrite: true, create: false })
  try {
    // First the timeout: the switch to WAL can meet a lock.
    db.run("PRAGMA busy_timeout = 5000")
    // Before the switch, which writes into a file that is in another mode, as a backup is.
    const refused = role === "writer" ? options.refusal?.(db) : undefined
    if (refused !== undefined) throw refused
    if (!memory) db.run("PRAGMA journal_mode = WAL")
    db.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    db.run(`PRAGMA journal_size_limit = ${JOURNAL_BYTES}`)
    db.run(`PRAGMA synchronous = ${options.durability === "full" ? "FULL" : "NORMAL"}`)
    db.run("PRAGMA foreign_keys = ON")
    db.run(`PRAGMA cache_size = -${CACHE_KIB[role]}`)
    if (role === "reader") db.run("PRAGMA query_only = ON")
    // A damaged schema is told now and not by the first task.
    db.query("SELECT count(*) FROM sqlite_schema").all()
    db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** A connection for the scope; a reader cannot write. */
export const openConnection = (options: OpenOptions, role: "writer" | "reader") =>
  Effect.acquireRelease(
    Effect.try({
      try: () => opened(options, role),
      catch: (cause) =>
        cause instanceof StoreUnavailable
          ? cause
          : new SqlError({ cause, message: `cannot open ${options.filename}` })
    }),
    (db) => Effect.sync(() => db === options.inherited || db.close())
  )

/**
 * The compiled statements of a connection by their text. The driver's own look compares a text with all that it keeps,
 * a microsecond where these are some hundred.
 */
export const queriesOn = (db: Database) => {
  const known = new Map<string, Statement<Record<string, Value>, Array<Value>>>()
  return (text: string) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = db.query<Record<string, Value>, Array<Value>>(text)
    known.set(text, made)
    return made
  }
}

/** How many rows a connection has changed since it was opened, rolled back ones included. */
export const changesOn = (db: Database): (() => number) => {
  const query = db.query("SELECT total_changes()")
  return () => Number(query.values()[0]?.[0])
}

/** The rows of statements on a connection. */
export const rowsOn = (db: Database) => {
  const query = queriesOn(db)
  return (text: string, params: ReadonlyArray<Value>): ReadonlyArray<Readonly<Record<string, Value>>> => {
    try {
      return query(text).all(...params)
    } catch (cause) {
      throw new SqlError({ cause, message: String(cause) })
    }
  }
}
