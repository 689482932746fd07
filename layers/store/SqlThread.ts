import { Data, Effect, type Scope } from "effect"
import type { Value } from "./statement.ts"

/** What SQLite answered in another thread: its code (`SQLITE_FULL`, may be empty) and its words. */
export class StatementFailed extends Data.TaggedError("StatementFailed")<{
  readonly code: string
  readonly message: string
}> {}

/** A row as it comes from the other thread. */
export type Row = Readonly<Record<string, Value>>

/** Connections to database files in a thread of their own: a statement of minutes stalls nobody here. */
export interface SqlThread {
  /** Opens a file under a name; `flags` are those of sqlite3_open_v2. An earlier one of the name is closed. */
  readonly open: (name: string, file: string, flags: number) => Effect.Effect<void, StatementFailed>
  readonly close: (name: string) => Effect.Effect<void, StatementFailed>
  /** All rows of one statement: it has to bound them. */
  readonly rows: (
    name: string,
    sql: string,
    ...params: ReadonlyArray<Value>
  ) => Effect.Effect<ReadonlyArray<Row>, StatementFailed>
}

interface Answer {
  readonly id: number
  readonly rows?: ReadonlyArray<Row>
  readonly error?: { readonly code: string; readonly message: string }
}

// A text and no file: one binary is built from one entry point, and a worker's file would be another.
const SOURCE = `
import { Database } from "bun:sqlite"
const connections = new Map()
const close = (name) => { connections.get(name)?.close(); connections.delete(name) }
const run = ({ kind, name, file, flags, sql, params }) => {
  if (kind === "rows") return connections.get(name).query(sql).all(...params)
  close(name)
  if (kind === "open") connections.set(name, new Database(file, flags))
  return []
}
self.onmessage = ({ data }) => {
  try {
    self.postMessage({ id: data.id, rows: run(data) })
  } catch (cause) {
    self.postMessage({ id: data.id, error: { code: String(cause?.code ?? ""), message: String(cause?.message ?? cause) } })
  }
}`

/**
 * Starts such a thread for the scope. Requests are answered in their order. At the end of the scope the thread
 * ends with the statement that it is in, which nobody waits for.
 */
export const make: Effect.Effect<SqlThread, never, Scope.Scope> = Effect.gen(function* () {
  const waiting = new Map<number, (answer: Effect.Effect<ReadonlyArray<Row>, StatementFailed>) => void>()
  let last = 0
  const answered = ({ error, id, rows }: Answer): void => {
    const resume = waiting.get(id)
    waiting.delete(id)
    resume?.(error === undefined ? Effect.succeed(rows ?? []) : Effect.fail(new StatementFailed(error)))
  }
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const url = URL.createObjectURL(new Blob([SOURCE], { type: "application/javascript" }))
      const started = new Worker(url)
      started.onmessage = ({ data }: MessageEvent<Answer>) => answered(data)
      started.onerror = ({ message }) => {
        for (const id of [...waiting.keys()]) answered({ id, error: { code: "", message } })
      }
      return { started, url }
    }),
    ({ started, url }) =>
      Effect.sync(() => {
        started.terminate()
        URL.revokeObjectURL(url)
      })
  )
  const ask = (message: Readonly<Record<string, unknown>>) =>
    Effect.async<ReadonlyArray<Row>, StatementFailed>((resume) => {
      last++
      waiting.set(last, resume)
      worker.started.postMessage({ id: last, ...message })
    })
  return {
    open: (name, file, flags) => Effect.asVoid(ask({ kind: "open", name, file, flags })),
    close: (name) => Effect.asVoid(ask({ kind: "close", name })),
    rows: (name, sql, ...params) => ask({ kind: "rows", name, sql, params })
  }
})
