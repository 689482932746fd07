import { Database } from "bun:sqlite"
import { payload, runPhase } from "../System.ts"

// Embedded. It keeps its queue in memory and gathers what it writes, unless a job says `durable: true`: these do.
// It has no setting for FULL; the statement by which it asks for NORMAL is rewritten on its way to SQLite.

const DAY_MS = 86_400_000
let db
const { run } = Database.prototype
Database.prototype.run = function (sql, ...rest) {
  if (!sql.includes("PRAGMA synchronous = NORMAL")) return run.call(this, sql, ...rest)
  db = this
  return run.call(this, sql.replace("synchronous = NORMAL", "synchronous = FULL"), ...rest)
}
const { Queue, shutdownManager, Worker } = await import("bunqueue/client")

await runPhase((file) => {
  const queue = new Queue("jobs", { embedded: true, dataPath: file })
  const job = (seq, opts = {}) => ({ name: "job", data: payload(seq), opts })
  const inForce = `${db.query("PRAGMA journal_mode").get().journal_mode}/${
    db.query("PRAGMA synchronous").get().synchronous === 2 ? "FULL" : "NORMAL"
  } durable:true`
  return {
    settings: () => inForce,
    add: async (times, from = 0) => {
      for (let time = 0; time < times; time++) await queue.add("job", payload(from + time), { durable: true })
    },
    addMany: (times) => queue.addBulk(Array.from({ length: times }, (_, seq) => job(seq, { durable: true }))),
    load: async (ready, delayed) => {
      for (const [times, opts] of [
        [ready, {}],
        [delayed, { delay: DAY_MS }]
      ])
        for (let done = 0; done < times; done += 1_000)
          await queue.addBulk(
            Array.from({ length: Math.min(1_000, times - done) }, (_, at) => job(done + at, opts))
          )
      await shutdownManager()
    },
    work: (concurrency, onJob) => {
      new Worker("jobs", async (job) => onJob(job.data.seq), {
        embedded: true,
        dataPath: file,
        concurrency
      }).on("error", console.error)
    },
    counts: () => queue.getJobCountsAsync()
  }
})
