import { DateTime, Option } from "effect"
import { TaskId } from "../../src/domain/Ids.ts"
import type { Occupied } from "../../src/store/Attempts.ts"
import type { Ground } from "../../src/store/Gates.ts"
import { idReader } from "./rows.ts"
import type { Row } from "./Sqlite.ts"
import { statement } from "./statement.ts"
import type { Writing } from "./writing.ts"

const IN_THE_WAY = statement(`
  SELECT task_id, adapter_id, started_at FROM attempts INDEXED BY attempts_open
  WHERE status = 'running' AND attempt_id <> :id AND working_dir = :dir
    AND (workspace = 'exclusive' OR :workspace = 'exclusive')`)
const OCCUPY = statement(`
  UPDATE attempts SET working_dir = :dir, workspace = :workspace WHERE attempt_id = :id AND status = 'running'`)

const taskIdOf = idReader(TaskId)

/** The columns of a ground; both null where an attempt has none. */
export const groundColumns = (ground: Option.Option<Ground>) =>
  Option.match(ground, {
    onNone: () => ({ dir: null, workspace: null }),
    onSome: ({ dir, workspace }) => ({ dir, workspace })
  })

const MODES = ["exclusive", "shared", "worktree"] as const

/** The folder that a running attempt occupies. */
export const groundOf = (row: Row): Option.Option<Ground> =>
  typeof row.working_dir === "string"
    ? // What only another program can have written lets nobody in.
      Option.some({
        dir: row.working_dir,
        workspace: MODES.find((mode) => mode === row.workspace) ?? "exclusive"
      })
    : Option.none()

/** See Attempts.occupy. */
export const occupy =
  (id: string, ground: Option.Option<Ground>) =>
  (writing: Writing): Occupied => {
    const columns = groundColumns(ground)
    const others = writing.rows(IN_THE_WAY, { id, ...columns })
    const [other] = [...others].sort((a, b) => String(a.started_at).localeCompare(String(b.started_at)))
    if (other === undefined) {
      writing.changed(OCCUPY, { id, ...columns })
      return { _tag: "Occupied" }
    }
    return {
      _tag: "InUse",
      taskId: taskIdOf(other.task_id),
      adapterId: Option.map(Option.fromNullable(other.adapter_id), String),
      since: Option.getOrElse(Option.map(DateTime.make(String(other.started_at)), DateTime.toUtc), () =>
        DateTime.unsafeMake(0)
      )
    }
  }
