import { Context, type Effect, Schema, type Scope } from "effect"
import type { Tell } from "./BackupFiles.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** What is taken over, by the words of the wire, in the order in which rows name each other. */
export const ADOPTED_TABLES = [
  "workflows",
  "tasks",
  "attempts",
  "bundles",
  "schedules",
  "sensor_events",
  "events"
] as const
export type AdoptedTable = (typeof ADOPTED_TABLES)[number]

/** A row as the other database has it, nothing decoded. */
export interface OriginalRow {
  /** Its place in its table: increases in the order in which rows were added. */
  readonly rowid: number
  readonly cells: { readonly [column: string]: string | number | Uint8Array | null }
}

/** One moment of a database of the original runtime, in a copy of its own that nobody else has. */
export interface OriginalDatabase {
  /** Absolute. */
  readonly path: string
  /** Lower-case hex, of the database file: what `sha256sum` prints. */
  readonly sha256: string
  /** The same for every later state of the same database, wherever it lies; another for every other one. */
  readonly sourceId: string
  readonly found: Readonly<Record<AdoptedTable, number>>
  /** What the database has that nothing of is taken over, in sentences. */
  readonly remarks: ReadonlyArray<string>
  /** At most 500 rows after a place, in order; none are left when it answers none. */
  readonly page: (table: AdoptedTable, after: number) => Effect.Effect<ReadonlyArray<OriginalRow>>
  /** How many attempts a task has, and whether one of them is still open. */
  readonly attemptsOf: (taskId: string) => Effect.Effect<{ readonly count: number; readonly open: boolean }>
  /** Tasks and workflows that sensor events led to. */
  readonly ledTo: { readonly tasks: ReadonlySet<string>; readonly workflows: ReadonlySet<number> }
  /** Whether the file and its journal are now, byte for byte, what they were when the copy was made. */
  readonly isUnchanged: Effect.Effect<boolean>
}

/** The file is not one to take over; nothing was changed. `code` is the word for machines. */
export class OriginalRefused extends Schema.TaggedError<OriginalRefused>()("OriginalRefused", {
  code: Schema.Literal("file_not_found", "not_original", "newer_original", "original_in_use"),
  reason: Schema.String,
  remedy: Schema.String
}) {}

/** Databases of the original runtime as files, which are only ever read. */
export class Original extends Context.Tag("agent-runtime/Original")<
  Original,
  {
    /**
     * Copies a database with its journal into a folder of its own below `stateDir`, which goes with the scope,
     * and checks the copy. No byte is written to the file, and nothing beside it.
     */
    readonly open: (
      file: string,
      stateDir: string,
      tell: Tell
    ) => Effect.Effect<OriginalDatabase, OriginalRefused | StoreUnavailable, Scope.Scope>
  }
>() {}
