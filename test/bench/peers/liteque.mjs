import { buildDBClient, Runner, SqliteQueue } from "liteque"
import { payload, runPhase } from "../System.ts"

const DAY_MS = 86_400_000
/** What its README polls with; it has no default. */
const POLL_MS = 1_000

await runPhase((file) => {
  const client = buildDBClient(file, { runMigrations: true })
  const db = client.$client ?? client.session.client
  // buildDBClient sets NORMAL.
  db.pragma("synchronous = FULL")
  const queue = new SqliteQueue("jobs", client, { defaultJobArgs: { numRetries: 2 }, keepFailedJobs: false })
  return {
    settings: () =>
      `${db.pragma("journal_mode", { simple: true })}/${
        db.pragma("synchronous", { simple: true }) === 2 ? "FULL" : "NORMAL"
      }`,
    add: async (times, from = 0) => {
      for (let time = 0; time < times; time++) await queue.enqueue(payload(from + time))
    },
    load: async (ready, delayed) => {
      const columns =
        "queue, payload, createdAt, availableAt, status, expireAt, allocationId, numRunsLeft, maxNumRuns, priority"
      for (const [times, delayMs] of [
        [ready, 0],
        [delayed, DAY_MS]
      ]) {
        if (times === 0) continue
        const { id } = await queue.enqueue(payload(0), { delayMs })
        db.prepare(
          `WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
           INSERT INTO tasks (${columns}) SELECT ${columns.replace("allocationId", "allocationId || n")} FROM tasks, numbers WHERE id = ? AND n <= ?`
        ).run(times, id, times)
      }
      db.pragma("wal_checkpoint(TRUNCATE)")
    },
    work: (concurrency, onJob, pollMs = POLL_MS) =>
      new Runner(
        queue,
        { run: async (job) => onJob(job.data.seq) },
        { pollIntervalMs: pollMs, timeoutSecs: 60, concurrency }
      ).run(),
    counts: () => queue.stats()
  }
})
