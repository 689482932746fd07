import { Effect, Option } from "effect"
import { TaskId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Backlog, BacklogKey, Seeded } from "../../src/store/Backlog.ts"
import { canonicalHash } from "./canonicalHash.ts"
import { json } from "./columns.ts"
import { idReader } from "./rows.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

/** The index of sources does not hold subjects: a search reads the tasks of its source, one by one. */
export const MOST_OF_A_SOURCE = 10_000

const OF_SOURCE = statement(
  "SELECT count(*) AS n FROM (SELECT 1 FROM tasks_by_age WHERE source = :source LIMIT :most)"
)
const OF_SUBJECT = statement(`
  SELECT task_id, created_at, kind FROM tasks_by_age WHERE source = :source AND subject = :subject
  ORDER BY created_at, task_id LIMIT 1`)
const WITHOUT_SUBJECT = statement(`
  SELECT task_id, created_at, kind FROM tasks_by_age
  WHERE source = :source AND subject IS NULL AND kind = :kind AND payload_json = :payload ORDER BY created_at, task_id LIMIT 1`)

const REMEMBERED = statement("SELECT task_id, kind FROM backlog_keys WHERE key_sha256 = :hash")
const REMEMBER = statement(
  "INSERT INTO backlog_keys (key_sha256, task_id, kind) VALUES (:hash, :taskId, :kind) ON CONFLICT DO NOTHING"
)

const taskId = idReader(TaskId)

const hashOf = ({ kind, payload, source, subject }: BacklogKey): string =>
  canonicalHash(
    Option.match(subject, { onNone: () => [source, null, kind, payload], onSome: (text) => [source, text] })
  )

const toSeeded = (row: Row): Seeded => ({
  _tag: "Found",
  taskId: taskId(row.task_id),
  kind: String(row.kind)
})

const find = (sqlite: Sqlite["Type"], key: BacklogKey) =>
  Effect.gen(function* () {
    const { kind, payload, source, subject } = key
    const remembered = (yield* sqlite.rows(REMEMBERED, { hash: hashOf(key) }))[0]
    if (remembered !== undefined) return toSeeded(remembered)
    const most = MOST_OF_A_SOURCE + 1
    const counted = yield* sqlite.rows(OF_SOURCE, { source, most })
    if (Number(counted[0]?.n) === most) return { _tag: "Crowded" } satisfies Seeded
    const rows = Option.isSome(subject)
      ? yield* sqlite.rows(OF_SUBJECT, { source, subject: subject.value })
      : yield* sqlite.rows(WITHOUT_SUBJECT, { source, kind, payload: json(payload) })
    const row = rows[0]
    return row === undefined ? ({ _tag: "Absent" } satisfies Seeded) : toSeeded(row)
  })

export const make = (sqlite: Sqlite["Type"]): Backlog => ({
  find: traced("Backlog.find")((key) => find(sqlite, key)),
  remember: traced("Backlog.remember")((key, task) =>
    Effect.asVoid(sqlite.rows(REMEMBER, { hash: hashOf(key), taskId: task.taskId, kind: task.kind }))
  )
})
