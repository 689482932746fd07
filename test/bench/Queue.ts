import { Database } from "bun:sqlite"
import { DateTime, Effect, ManagedRuntime, Option } from "effect"
import { file } from "../../layers/store/SqlStore.ts"
import type { Stamp } from "../../src/domain/Actor.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { Store } from "../../src/store/Store.ts"
import type { AttemptEnd } from "../../src/store/Tasks.ts"
import { PAYLOAD } from "./Floor.ts"

const runnerId = RunnerId.make("bench:1:2026-01-01T00:00:00.000Z")
const FAR = "2030-01-01T00:00:00.000Z"

const stamp: Effect.Effect<Stamp> = Effect.map(DateTime.now, (at) => ({
  at,
  actor: { surface: "dispatch", name: "bench" }
}))

const outcome = {
  status: "completed",
  operatorSummary: "done",
  machineStatus: "ok",
  fileChanges: [],
  artifactPaths: [],
  followUpTasks: [],
  externalMessages: []
} as const

const end: AttemptEnd = {
  exitStatus: Option.some("ok"),
  retryClass: Option.some("none"),
  reason: "completed",
  issues: [],
  usage: unknownUsage,
  resultPath: Option.none()
}

/** What the dispatcher does in the store for one task: promote, look at the lanes, claim, settle. */
const job = Effect.gen(function* () {
  const { tasks } = yield* Store
  const begun = yield* stamp
  yield* tasks.promote(begun.at)
  const lanes = (yield* tasks.lanes).map((lane) => lane.key)
  const attemptId = AttemptId.make(crypto.randomUUID())
  const claim = yield* tasks.claim({ lanes, attemptId, runnerId, host: "bench", stamp: begun })
  if (claim._tag !== "Claimed") return yield* Effect.dieMessage(`nothing to claim: ${claim._tag}`)
  yield* tasks.settle({ attemptId, end, move: { _tag: "Complete", outcome }, stamp: yield* stamp })
})

/** The real store on a file, filled from beside it. */
export class Queue {
  readonly runtime
  private readonly db: Database
  private fills = 0

  private constructor(readonly path: string) {
    this.runtime = ManagedRuntime.make(file({ filename: path, durability: "full" }))
    this.db = new Database(path)
    this.db.run("PRAGMA busy_timeout = 5000")
  }

  static async open(path: string): Promise<Queue> {
    const maker = ManagedRuntime.make(file({ filename: path, durability: "full" }))
    await maker.runPromise(Store)
    await maker.dispose()
    return new Queue(path)
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
      if (wanted <= have) return
      this.db.run(
        `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at, available_at, lane, ready, created_by_json)
         SELECT printf('%08d-%032d', ?, n), 'note', 'bench', 5, ?, 3, 'pending', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', ?,
           '[null,null,0]', ?, '{"surface":"cli","name":"bench"}' FROM numbers`,
        [wanted - have, this.fills++, PAYLOAD, ready === 1 ? "2026-01-01T00:00:00.000Z" : FAR, ready]
      )
    }
    add(1, count)
    add(0, delayed)
    this.db.run("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  work(times: number): Promise<void> {
    return this.runtime.runPromise(Effect.repeatN(job, times - 1))
  }

  counts() {
    return this.runtime.runPromise(Effect.flatMap(Store, (store) => store.tasks.counts))
  }

  async close(): Promise<void> {
    await this.runtime.dispose()
    this.db.close()
  }
}
