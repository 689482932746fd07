import { Database } from "bun:sqlite"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { rescuedOf } from "./Backups.ts"
import { refuse } from "./StoreMarks.ts"
import { bind, statement, type Value } from "./statement.ts"

interface LastEvent {
  readonly id: number
  readonly event_type: string
  readonly created_at: string
}

const LAST = "SELECT id, event_type, created_at FROM run_events ORDER BY id DESC LIMIT 1"

/**
 * Whether a database has gone on from what was rescued. Each change of state writes an event, and ids are given one
 * after the other: one that has the last event has all of it; of one that has pruned so far this is known as well.
 */
export const HOLDS = statement(`
  SELECT EXISTS (SELECT 1 FROM run_events WHERE id = :id AND event_type = :type AND created_at = :at)
    OR :id < (SELECT min(id) FROM run_events) AS holds`)

/** What a process saved of a database that was lost beneath it, and what is asked of the present one by HOLDS. */
export interface Rescued {
  readonly path: string
  readonly asked: Readonly<Record<"id" | "type" | "at", Value>>
}

/**
 * The newest rescue beside a database that holds tasks; undefined when there is none, or it cannot be read. Throws when
 * the folder cannot be looked at.
 */
export const rescuedBeside = (file: string): Rescued | undefined => {
  const path = rescuedOf(file)
  if (path === undefined) return undefined
  let db: Database | undefined
  try {
    db = new Database(path, { readonly: true })
    if (db.query("SELECT 1 FROM tasks LIMIT 1").get() === null) return undefined
    const last = db.query<LastEvent, []>(LAST).get()
    return {
      path,
      asked: { id: last?.id ?? 0, type: last?.event_type ?? "", at: last?.created_at ?? "" }
    }
  } catch {
    return undefined
  } finally {
    db?.close()
  }
}

/** The same where who cannot look has nothing to say: `healthcheck` tells of the folder. */
const rescuedThatIsSeen = (file: string): Rescued | undefined => {
  try {
    return rescuedBeside(file)
  } catch {
    return undefined
  }
}

/** How the operator gets what was rescued, or goes on without it. */
export const takeBack = (path: string): string =>
  `put it in its place with: agent-runtime restore --from ${path} (or move it away to go on without it)`

/**
 * Why a database must not be opened while what was rescued lies beside it, or beside the link by which it is
 * configured: that holds what the present one does not, and each task that is queued from now on would be one more that
 * only one of them has.
 */
export const unrestored = (
  db: Database,
  configured: string,
  filename: string
): StoreUnavailable | undefined => {
  for (const name of new Set([configured, filename])) {
    const rescued = rescuedThatIsSeen(name)
    if (rescued === undefined || db.query(HOLDS.text).values(...bind(HOLDS, rescued.asked))[0]?.[0] === 1)
      continue
    return refuse(
      configured,
      `it lacks what a process saved when this database was lost beneath it: ${rescued.path}`,
      takeBack(rescued.path)
    )
  }
  return undefined
}
