import { Floor } from "./Floor.ts"
import { payload, runPhase } from "./System.ts"

// SQLite alone, as a system among the others; polled by `PRAGMA data_version`, which any process's commit changes.

await runPhase((file) => {
  const floor = new Floor(file)
  const version = floor.db.query<{ data_version: number }, []>("PRAGMA data_version")
  const own = floor.db.query<{ n: number }, []>("SELECT total_changes() AS n")
  const next = floor.db.query<{ payload: string }, []>(
    "SELECT payload FROM tasks WHERE ready = 1 ORDER BY priority DESC, created_at, id LIMIT 1"
  )
  const changed = () => `${version.get()?.data_version} ${own.get()?.n}`
  const insert = floor.db.query<unknown, [string, string]>(
    "INSERT INTO tasks VALUES (?, 5, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'pending', 1, ?, NULL)"
  )
  return {
    settings: () => {
      const { synchronous } = floor.db.query("PRAGMA synchronous").get() as { synchronous: number }
      return `wal/${synchronous === 2 ? "FULL" : synchronous}`
    },
    add: (times, from) => {
      if (from === undefined) floor.enqueue(times, "one by one")
      else insert.run(Bun.randomUUIDv7(), JSON.stringify(payload(from)))
    },
    addMany: (times) => floor.enqueue(times, "at once"),
    load: (ready, delayed) => floor.fill(ready, delayed),
    work: async (_, onJob, pollMs) => {
      let seen = ""
      while (true) {
        // Asked before the queue is read: what is committed in between is seen the next time.
        const now = changed()
        if (now === seen && pollMs !== undefined) {
          await Bun.sleep(pollMs)
          continue
        }
        seen = now
        for (let row = next.get(); row !== null; row = next.get()) {
          onJob(JSON.parse(row.payload).seq ?? 0)
          floor.work(1)
          if (pollMs === undefined) await new Promise((resolve) => setImmediate(resolve))
        }
        await Bun.sleep(pollMs ?? 1)
      }
    },
    counts: () => floor.db.query("SELECT status, count(*) FROM tasks GROUP BY status").all()
  }
})
