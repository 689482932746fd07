import type { Database } from "bun:sqlite"
import { DateTime, Option } from "effect"
import { timeOfId } from "../../src/domain/Ids.ts"
import { LAST_GIVEN } from "./SqlEvents.ts"

/** What a database has given that is replaced: the highest of its ids, none of which is given again by what comes. */
export interface Given {
  readonly sequences: ReadonlyArray<readonly [table: string, last: number]>
  readonly event: number
  /** When the newest attempt or bundle was made, by the time in its id; none when there is none. */
  readonly newest: Option.Option<DateTime.Utc>
}

const hasTable = (db: Database, name: string): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== null

/** What a database has given; nothing of tables that it has not. */
export const givenIn = (db: Database): Given => ({
  sequences: hasTable(db, "sqlite_sequence")
    ? db
        .query<{ readonly name: string; readonly seq: number }, []>("SELECT name, seq FROM sqlite_sequence")
        .all()
        .map(({ name, seq }) => [name, seq] as const)
    : [],
  event: hasTable(db, "event_marks")
    ? Number(db.query<{ readonly id: number }, []>(LAST_GIVEN.text).get()?.id)
    : 0,
  newest: newestIn(db)
})

// The first that fits from the end of an index: ids of adopted databases may have another shape.
const NEWEST = ["attempt", "bundle"].map(
  (one) => `SELECT max(${one}_id) AS id FROM ${one}s WHERE ${one}_id GLOB '0???????-????-7*'`
)

const newestIn = (db: Database): Option.Option<DateTime.Utc> => {
  try {
    const ids = NEWEST.flatMap((sql) => db.query<{ readonly id: string | null }, []>(sql).all())
    const last = ids
      .map(({ id }) => id ?? "")
      .toSorted()
      .at(-1)
    return timeOfId(last ?? "")
  } catch {
    // Damaged or of another shape: no reason not to replace it.
    return Option.none()
  }
}

/**
 * Since when a database stands in the place of another: `at`, when nobody has that one open any more; later where its
 * clock was ahead, after the newest that is on record there.
 */
export const sinceWhen = (at: DateTime.Utc, given: Option.Option<Given>): DateTime.Utc =>
  Option.flatMap(given, ({ newest }) => newest).pipe(
    Option.map(DateTime.add({ millis: 1 })),
    Option.filter(DateTime.greaterThan(at)),
    Option.getOrElse(() => at)
  )

/** Has a database that takes the place go on after what was given. */
export const goOnFrom = (db: Database, { event, sequences }: Given): void => {
  for (const [table, last] of sequences) raise(db, table, last)
  db.run("UPDATE event_marks SET id = max(id, ?) WHERE mark = 'given'", [event])
}

const raise = (db: Database, table: string, last: number): void => {
  if (db.run("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", [last, table]).changes === 0)
    db.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, last])
}
