import type { Database } from "bun:sqlite"
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Exit } from "effect"
import { changesOn, queriesOn } from "./connection.ts"
import type { Row } from "./Sqlite.ts"
import { bind, type Statement, type Value } from "./statement.ts"

/** The statements of one transaction on the writer. Each is done when it returns; one that fails throws SqlError. */
export interface Writing {
  readonly rows: (of: Statement, values?: Readonly<Record<string, Value>>) => ReadonlyArray<Row>
  /** Runs a statement that answers no rows; how many it changed. */
  readonly changed: (of: Statement, values?: Readonly<Record<string, Value>>) => number
  /** Inserts a row; its number. */
  readonly inserted: (of: Statement, values?: Readonly<Record<string, Value>>) => number
}

/** What a state change does: nothing but statements and what follows from their rows, all of it at once. */
export type Block<A> = (writing: Writing) => A

/** Runs what talks to SQLite; what it throws is a SqlError. */
const guarded = <A>(run: () => A): A => {
  try {
    return run()
  } catch (cause) {
    throw new SqlError({ cause, message: String(cause) })
  }
}

/** What something answers or throws, run now: SQLite's errors are expected, others are bugs. */
export const attemptedNow = <A>(run: () => A): Exit.Exit<A, SqlError> => {
  try {
    return Exit.succeed(run())
  } catch (cause) {
    return cause instanceof SqlError ? Exit.fail(cause) : Exit.die(cause)
  }
}

/** The same each time that the effect is run. */
export const attempted = <A>(run: () => A): Effect.Effect<A, SqlError> =>
  Effect.suspend(() => attemptedNow(run))

/** What is done with an effect that may fail; one that has succeeded by now, as nearly all here have, saves these steps. */
export const unlessDone = <A, E, R, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  otherwise: (effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E2, R2> =>
  Exit.isExit(effect) && Exit.isSuccess(effect) ? (effect as Exit.Exit<A>) : otherwise(effect)

/** The statements of whatever transaction is open on a connection. */
export const writingOn = (db: Database): Writing => {
  const query = queriesOn(db)
  const ran = (of: Statement, values: Readonly<Record<string, Value>> = {}) => {
    const params = bind(of, values)
    return guarded(() => query(of.text).run(...params))
  }
  return {
    rows: (of, values = {}) => {
      const params = bind(of, values)
      return guarded(() => query(of.text).all(...params))
    },
    changed: (of, values) => ran(of, values).changes,
    inserted: (of, values) => Number(ran(of, values).lastInsertRowid)
  }
}

/** How a transaction on a connection begins and ends. */
export interface Bounds {
  /** Begins one; how many rows were changed before. */
  readonly begin: () => number
  /** Keeps it; whether it changed anything. One that cannot be kept is taken back, and that is thrown. */
  readonly keep: (changesBefore: number) => boolean
  readonly takeBack: () => void
}

/** The bounds of the transactions on a connection, one at a time. */
export const boundsOn = (db: Database): Bounds => {
  // IMMEDIATE: a deferred read-then-write fails at once when another process writes.
  const begin = db.query("BEGIN IMMEDIATE")
  const commit = db.query("COMMIT")
  const changes = changesOn(db)
  const takeBack = (): void => {
    // SQLite itself ends a transaction on some errors (a full disk).
    if (db.inTransaction) db.run("ROLLBACK")
  }
  return {
    begin: () => {
      guarded(() => begin.run())
      return changes()
    },
    keep: (changesBefore) => {
      try {
        const isChange = changes() !== changesBefore
        guarded(() => commit.run())
        return isChange
      } catch (cause) {
        takeBack()
        throw cause
      }
    },
    takeBack
  }
}

export interface Written<A> {
  readonly value: A
  /** False when nothing was changed: then nobody needs to look. */
  readonly isChange: boolean
}

/**
 * Runs blocks as transactions of their own. Nothing can come between the statements of one: neither another fiber
 * nor an interruption. When one throws nothing of it is kept.
 */
export const ownTransactions =
  ({ begin, keep, takeBack }: Bounds, writing: Writing) =>
  <A>(block: Block<A>): Written<A> => {
    const changesBefore = begin()
    try {
      const value = block(writing)
      return { value, isChange: keep(changesBefore) }
    } catch (cause) {
      takeBack()
      throw cause
    }
  }
