import { createRequire } from "node:module"
import { Sidequest } from "sidequest"
import { payload, runPhase } from "../System.ts"
import { Tell } from "./sidequestJob.mjs"

// In this process and thread (`fork: false`, `runner: "inline"`): by default it works in a forked process with a pool
// of threads. Its own journal is the rollback journal; WAL and FULL are asked of its pool for each connection.

const DAY_MS = 86_400_000
const require = createRequire(createRequire(import.meta.url).resolve("@sidequest/sqlite-backend"))
const Database = require("better-sqlite3")

await runPhase(async (file) => {
  let db
  const config = (concurrency, pollMs) => ({
    backend: {
      driver: "@sidequest/sqlite-backend",
      config: {
        connection: { filename: file },
        pool: {
          min: 1,
          max: 1,
          afterCreate: (connection, done) => {
            connection.pragma("journal_mode = WAL")
            connection.pragma("synchronous = FULL")
            db = connection
            done(null, connection)
          }
        }
      }
    },
    queues: [{ name: "default", concurrency }],
    maxConcurrentJobs: concurrency,
    fork: false,
    runner: "inline",
    gracefulShutdown: false,
    logger: { level: "error", json: false },
    dashboard: { enabled: false },
    ...(pollMs === undefined ? {} : { jobPollingInterval: pollMs })
  })
  const configured = () => Sidequest.configure(config(1))
  return {
    settings: () =>
      `${db.pragma("journal_mode", { simple: true })}/${
        db.pragma("synchronous", { simple: true }) === 2 ? "FULL" : "NORMAL"
      }`,
    add: async (times, from = 0) => {
      await configured()
      for (let time = 0; time < times; time++) await Sidequest.build(Tell).enqueue(payload(from + time))
    },
    load: async (ready, delayed) => {
      await configured()
      for (const [times, delay] of [
        [ready, 0],
        [delayed, DAY_MS]
      ]) {
        if (times === 0) continue
        const { id } = await Sidequest.build(Tell)
          .availableAt(new Date(Date.now() + delay))
          .enqueue(payload(0))
        const beside = new Database(file)
        const columns = beside
          .prepare("SELECT name FROM pragma_table_info('sidequest_jobs') WHERE name <> 'id'")
          .all()
          .map(({ name }) => name)
          .join(", ")
        beside
          .prepare(
            `WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
             INSERT INTO sidequest_jobs (${columns}) SELECT ${columns} FROM sidequest_jobs, numbers WHERE id = ? AND n <= ?`
          )
          .run(times, id, times)
        beside.pragma("wal_checkpoint(TRUNCATE)")
        beside.close()
      }
    },
    work: async (concurrency, onJob, pollMs) => {
      globalThis.onJob = onJob
      await Sidequest.start(config(concurrency, pollMs))
    },
    counts: async () => {
      await configured()
      return Sidequest.job.count()
    }
  }
})
