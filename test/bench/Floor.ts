import { Database } from "bun:sqlite"
import { FIELDS } from "./System.ts"

/** Fewest statements and commits with which SQLite can keep a queue: what ours is measured against. */
export class Floor {
  readonly db: Database
  private fills = 0

  constructor(file: string) {
    this.db = new Database(file)
    for (const statement of [
      "PRAGMA journal_mode = WAL",
      "PRAGMA synchronous = FULL",
      `CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY NOT NULL, priority INTEGER NOT NULL, created_at TEXT NOT NULL,
        available_at TEXT NOT NULL, status TEXT NOT NULL, ready INTEGER NOT NULL, payload TEXT NOT NULL, result TEXT) STRICT`,
      "CREATE INDEX IF NOT EXISTS tasks_ready ON tasks (priority DESC, created_at, id) WHERE ready = 1",
      `CREATE TABLE IF NOT EXISTS attempts (id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, number INTEGER NOT NULL,
        started_at TEXT NOT NULL, ended_at TEXT) STRICT`
    ])
      this.db.run(statement)
  }

  /** Brings the number of ready tasks to `count`, and of delayed ones to `delayed`. */
  fill(count: number, delayed = 0): void {
    const add = (ready: number, wanted: number) => {
      const have =
        this.db
          .query<{ n: number }, [number]>(
            "SELECT count(*) AS n FROM tasks WHERE ready = ? AND status = 'pending'"
          )
          .get(ready)?.n ?? 0
      this.db.run(
        `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tasks SELECT printf('%08d-%032d', ?, n), 5, '2026-01-01T00:00:00.000Z', '2030-01-01T00:00:00.000Z', 'pending', ?, ?, NULL
         FROM numbers WHERE ? > 0`,
        [wanted - have, this.fills++, ready, PAYLOAD, wanted - have]
      )
    }
    add(1, count)
    add(0, delayed)
  }

  /** Adds tasks, each in a commit of its own, or all in one. */
  enqueue(times: number, how: "one by one" | "at once"): void {
    const add = this.db.query<unknown, [string]>(
      `INSERT INTO tasks VALUES (?, 5, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'pending', 1, '${PAYLOAD}', NULL)`
    )
    const addAll = () => {
      for (let time = 0; time < times; time++) add.run(Bun.randomUUIDv7())
    }
    if (how === "at once") this.db.transaction(addAll).immediate()
    else addAll()
  }

  /** Claims the best task and finishes it: two commits, the attempt opened and closed. */
  work(times: number): void {
    const best = this.db.query<{ id: string }, []>(
      `UPDATE tasks SET status = 'running', ready = 0 WHERE id = (
        SELECT id FROM tasks WHERE ready = 1 ORDER BY priority DESC, created_at, id LIMIT 1) RETURNING id`
    )
    const open = this.db.query(
      "INSERT INTO attempts (task_id, number, started_at) VALUES (?, 1, '2026-01-01T00:00:00.000Z') RETURNING id"
    )
    const end = this.db.query("UPDATE tasks SET status = 'completed', result = '{}' WHERE id = ?")
    const close = this.db.query("UPDATE attempts SET ended_at = '2026-01-01T00:00:00.000Z' WHERE task_id = ?")
    this.db.run("CREATE INDEX IF NOT EXISTS attempts_task ON attempts (task_id)")
    const claim = this.db.transaction(() => {
      const id = best.get()?.id
      if (id === undefined) throw new Error("the floor has run out of tasks")
      open.get(id)
      return id
    })
    const settle = this.db.transaction((id: string) => {
      end.run(id)
      close.run(id)
    })
    for (let time = 0; time < times; time++) settle.immediate(claim.immediate())
  }

  close(): void {
    this.db.close()
  }
}

export const PAYLOAD = JSON.stringify(FIELDS)
