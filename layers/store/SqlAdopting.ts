import { Effect } from "effect"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { EventType } from "../../src/domain/RunEvent.ts"
import type { Cells } from "../../src/store/adopt/Cells.ts"
import type { IdHere } from "../../src/store/adopt/Renumber.ts"
import type { AdoptedTask } from "../../src/store/adopt/TaskOf.ts"
import type { AdoptedTable, OriginalDatabase, OriginalRow } from "../../src/store/Original.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import * as Rows from "./SqlAdoptRows.ts"
import { type EventSubject, LAST_GIVEN } from "./SqlEvents.ts"
import type { Sqlite } from "./Sqlite.ts"

interface Told {
  readonly type: EventType
  readonly subject: EventSubject
  readonly detail: JsonObject
}

/** One run of an adoption: what it has learnt on its way through the tables. It begins anew with its transaction. */
export interface Adopting {
  readonly sqlite: Sqlite["Type"]
  readonly original: OriginalDatabase
  readonly at: string
  /** The id of a row that has none: the same in every run. */
  readonly substitute: (table: AdoptedTable, row: OriginalRow) => string
  /** Workflows by their id in the original: the id that they have here, and their template. */
  readonly workflows: Map<number, { readonly id: number; readonly template: string }>
  /** Tasks that were added as running, whose attempts may be open. */
  readonly running: Set<string>
  readonly schedules: Set<string>
  /** The last task of a schedule, as the history tells it. */
  readonly lastTasks: Map<string, string>
  /** Events of the adoption itself. */
  readonly told: Array<Told>
  readonly remarks: Array<string>
  /** When rows of this database came here last; undefined where none has yet. */
  readonly cameAt: string | undefined
  /** Tasks that have another status in the original now than they were adopted with: how many, and the first of them. */
  readonly differing: { count: number; readonly first: Array<string> }
  setAside: number
  /** Tasks that were running without an attempt and are put back. */
  reclaimed: number
  /** The last event of the original that is here, and the greatest id that this store has ever given. */
  lastEventId: number
  lastGiven: number
  lastEventAt: string
}

export const begin = (
  sqlite: Sqlite["Type"],
  original: OriginalDatabase,
  at: string
): Effect.Effect<Adopting, StoreUnavailable> =>
  Effect.gen(function* () {
    const before = (yield* sqlite.rows(Rows.ADOPTION, { sourceId: original.sourceId }))[0]
    const given = (yield* sqlite.rows(LAST_GIVEN))[0]
    const adopting: Adopting = {
      sqlite,
      original,
      at,
      substitute: (table, { rowid }) => `original-${original.sourceId.slice(0, 12)}-${table}-${rowid}`,
      workflows: new Map(),
      running: new Set(),
      schedules: new Set(),
      lastTasks: new Map(),
      told: [],
      remarks: [...original.remarks],
      cameAt: before === undefined ? undefined : String(before.adopted_at),
      differing: { count: 0, first: [] },
      setAside: 0,
      reclaimed: 0,
      lastEventId: Number(before?.last_event_id ?? 0),
      lastGiven: Number(given?.id ?? 0),
      lastEventAt: at
    }
    return adopting
  })

export const remark = (adopting: Adopting, sentence: string): void => {
  adopting.remarks.push(sentence)
}

/** Tasks that are named in one remark. */
const MOST_NAMED = 5

/** What a task of the original that is here already is here. */
interface Here {
  readonly status: string
  readonly updatedAt: string
}

/**
 * Notes a task that has gone on in the original since it was adopted: one of another status, unless that is what was
 * done here alone. Done here it has a later time than there; a row that was kept as it came tells by itself.
 */
export const compareTask = (
  adopting: Adopting,
  { status, taskId, updatedAt }: AdoptedTask,
  cells: Cells,
  here: Here
) =>
  Effect.gen(function* () {
    const { cameAt, differing, sqlite } = adopting
    if (cameAt === undefined || here.status === status) return
    const kept = (yield* sqlite.rows(Rows.KEPT, { table: "tasks", id: taskId }))[0]
    const differs =
      kept === undefined
        ? here.updatedAt <= updatedAt || updatedAt > cameAt
        : String(kept.original_json) !== cells.asItWas
    if (!differs) return
    differing.count++
    if (differing.first.length < MOST_NAMED)
      differing.first.push(`task ${taskId} is ${here.status} here and ${status} there`)
  })

/** One remark on all tasks that have gone on in the original; none where none has. */
export const differingRemark = ({ differing: { count, first } }: Adopting): ReadonlyArray<string> =>
  count === 0
    ? []
    : [
        `${count === 1 ? "1 row of tasks differs" : `${count} rows of tasks differ`} from what was adopted and ${count === 1 ? "stays as it is" : "stay as they are"} here: ${first.join(", ")}${count > first.length ? ", ..." : ""}; agent-runtime task-cancel ID ends what is done there already`
      ]

/** Whether a row came before and was removed here since: then it is done with, and does not come back. */
export const isGone = ({ sqlite }: Adopting, table: "tasks" | "schedules" | "bundles", id: string) =>
  Effect.map(sqlite.rows(Rows.GONE, { table, id }), (rows) => rows.length > 0)

/** The id here of a workflow of the original. */
export const idHere =
  ({ workflows }: Adopting): IdHere =>
  (original) =>
    workflows.get(original)?.id

/** Keeps a row word for word beside what became of it. */
export const keep = (
  adopting: Adopting,
  table: string,
  id: string,
  taskId: string | null,
  { asItWas }: Cells
) => adopting.sqlite.rows(Rows.KEEP, { table, id, taskId, original: asItWas })

/** Tells of a damaged record, in the history and in the answer; `waits` when an operator has to look at it. */
export const setAside = (
  adopting: Adopting,
  subject: EventSubject,
  what: string,
  problems: ReadonlyArray<string>,
  waits: boolean
): void => {
  if (waits) adopting.setAside++
  remark(adopting, `${what} came damaged: ${problems.join("; ")}`)
  adopting.told.push({
    type: "record_quarantined",
    subject,
    detail: { record: what, problem: problems.join("; ") }
  })
}
