import { Database } from "bun:sqlite"
import { bun, defineQueue, defineWorker } from "plainjob"
import { payload, runPhase } from "../System.ts"

// It has no concurrency of its own: ten at once are ten workers in one process.

const quiet = { error: console.error, warn() {}, info() {}, debug() {} }
const DAY_MS = 86_400_000

await runPhase((file) => {
  const db = new Database(file)
  const queue = defineQueue({ connection: bun(db), logger: quiet })
  // defineQueue sets NORMAL.
  db.run("PRAGMA synchronous = FULL")
  const numbered = (from, times) => Array.from({ length: times }, (_, at) => payload(from + at))
  return {
    settings: () =>
      `${db.query("PRAGMA journal_mode").get().journal_mode}/${
        db.query("PRAGMA synchronous").get().synchronous === 2 ? "FULL" : "NORMAL"
      }`,
    add: (times, from = 0) => {
      for (let time = 0; time < times; time++) queue.add("job", payload(from + time))
    },
    addMany: (times) => queue.addMany("job", numbered(0, times)),
    load: (ready, delayed) => {
      // What its own call writes, copied.
      for (const [times, delay] of [
        [ready, 0],
        [delayed, DAY_MS]
      ]) {
        if (times === 0) continue
        const { id } = queue.add("job", payload(0), { delay })
        db.run(
          `WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
           INSERT INTO plainjob_jobs (type, data, status, created_at, next_run_at)
           SELECT type, data, status, created_at, next_run_at + n % 1000 - 1000 FROM plainjob_jobs, numbers WHERE id = ?`,
          [times, id]
        )
      }
      db.run("PRAGMA wal_checkpoint(TRUNCATE)")
    },
    work: (concurrency, onJob, pollMs) => {
      for (let worker = 0; worker < concurrency; worker++)
        void defineWorker("job", async (job) => onJob(JSON.parse(job.data).seq), {
          queue,
          logger: quiet,
          ...(pollMs === undefined ? {} : { pollIntervall: pollMs })
        }).start()
    },
    counts: () => [0, 1, 2, 3].map((status) => queue.countJobs({ status }))
  }
})
