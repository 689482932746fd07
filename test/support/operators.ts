import { Effect } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"

/** 999 tasks that operators wrote, at once. */
const FILL = `
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
  INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at,
    available_at, lane, created_by_json)
  SELECT 'operator-' || i, 'operator', 'operator-ui', 5, '{}', 3, 'pending', '1970-01-01T00:00:00.000Z',
    '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z', 'none', '{}' FROM n`

/** Queues one task fewer than operators may have unfinished. */
export const fillWithOperators = Effect.flatMap(Sqlite, (sqlite) => sqlite.rows({ text: FILL, names: [] }))
