/** What a word in the output means; shown as a colour where there are colours. */
export type Tone = "good" | "bad" | "warn" | "busy" | "dim"

export type Cell =
  | string
  | number
  | boolean
  | null
  | undefined
  | { readonly text: string; readonly tone: Tone | undefined }

export interface Column {
  readonly title: string
  readonly align?: "right"
  /** Never shortened: ids and other words that are copied. */
  readonly keep?: boolean
}

export type Block =
  | { readonly _tag: "Heading"; readonly text: string }
  | { readonly _tag: "Fields"; readonly rows: ReadonlyArray<readonly [label: string, value: Cell]> }
  | {
      readonly _tag: "Table"
      readonly columns: ReadonlyArray<Column>
      readonly rows: ReadonlyArray<ReadonlyArray<Cell>>
      readonly empty: string
    }
  | { readonly _tag: "Text"; readonly lines: ReadonlyArray<string> }

/** A result as a person reads it, from top to bottom. */
export type Doc = ReadonlyArray<Block>

export const heading = (text: string): Block => ({ _tag: "Heading", text })

/** Labels with their values, for one record. */
export const fields = (rows: ReadonlyArray<readonly [label: string, value: Cell]>): Block => ({
  _tag: "Fields",
  rows
})

/** Records of one kind, a line each; `empty` stands for no rows at all. */
export const table = (
  columns: ReadonlyArray<Column | string>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  empty = "none"
): Block => ({
  _tag: "Table",
  columns: columns.map((one) => (typeof one === "string" ? { title: one } : one)),
  rows,
  empty
})

/** Lines as they are; a line that does not fit is wrapped. */
export const text = (...lines: ReadonlyArray<string>): Block => ({ _tag: "Text", lines })

/** A cell that is toned by hand. */
export const toned = (word: string, tone: Tone): Cell => ({ text: word, tone })

const tones: ReadonlyMap<string, Tone> = new Map<string, Tone>([
  ...["completed", "finished", "ok", "idle", "active", "accepted"].map((word) => [word, "good"] as const),
  ...["permanent_failure", "blocked", "stalled", "error", "failed"].map((word) => [word, "bad"] as const),
  ...["retryable_failure", "paused", "timeout", "warning", "stale"].map((word) => [word, "warn"] as const),
  // Why a task waits: what nobody but an operator ends, what ends by itself, what is only the queue.
  ...["operator", "no_dispatcher"].map((word) => [word, "bad"] as const),
  ...["answer", "budget", "cooldown", "probe"].map((word) => [word, "warn"] as const),
  ...["not_due", "concurrency", "priority", "workspace"].map((word) => [word, "dim"] as const),
  ...["running"].map((word) => [word, "busy"] as const),
  ...["operator_canceled", "canceled", "pending", "disabled"].map((word) => [word, "dim"] as const)
])

/** A cell whose tone follows from the status word in it. */
export const status = (word: string | null): Cell =>
  word === null ? null : { text: word, tone: tones.get(word) }
