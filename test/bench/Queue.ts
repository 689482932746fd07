import { Database } from "bun:sqlite"
import { DateTime, Effect, ManagedRuntime, Option } from "effect"
import { file } from "../../layers/store/SqlStore.ts"
import type { Stamp } from "../../src/domain/Actor.ts"
import { AttemptId, RunnerId, TaskId } from "../../src/domain/Ids.ts"
import type { NewTask } from "../../src/domain/Task.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { Store } from "../../src/store/Store.ts"
import type { AttemptEnd } from "../../src/store/Tasks.ts"
import { PAYLOAD } from "./Floor.ts"
import { FIELDS } from "./System.ts"

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
  usage: unknownUsage
}

/** What the dispatcher does in the store for one task: promote, which answers the lanes, claim, settle. */
const job = Effect.gen(function* () {
  const { tasks } = yield* Store
  const begun = yield* stamp
  const lanes = (yield* tasks.promote(begun.at)).lanes.map((lane) => lane.key)
  const attemptId = AttemptId.make(Bun.randomUUIDv7())
  const claim = yield* tasks.claim({ lanes, attemptId, runnerId, host: "bench", stamp: begun })
  if (claim._tag !== "Claimed") return yield* Effect.dieMessage(`nothing to claim: ${claim._tag}`)
  yield* tasks.settle({ attemptId, end, move: { _tag: "Complete", outcome }, stamp: yield* stamp })
})

/** A note with a bridge's payload, as it enters the store. */
export const newTask = (id: string, availableAt: NewTask["availableAt"]): NewTask => ({
  taskId: TaskId.make(id),
  intent: { kind: "note", source: "bench", payload: FIELDS },
  priority: 5,
  maxAttempts: 3,
  availableAt,
  untrusted: false,
  parent: Option.none(),
  workflow: Option.none(),
  replayOf: Option.none(),
  traceParent: Option.none(),
  createdBy: { surface: "cli", name: "bench" }
})

/** Puts so many tasks into a database of ours, beside its store; `series` makes their ids new. */
export const fill = (db: Database, ready: 0 | 1, tasks: number, series: number): void => {
  if (tasks <= 0) return
  db.run(
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
     INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at, available_at, lane, ready, created_by_json, listed_status, to_list)
     SELECT printf('%08d-%032d', ?, n), 'note', 'bench', 5, ?, 3, 'pending', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', ?,
       '[null,null,0]', ?, '{"surface":"cli","name":"bench"}', 'pending', 0 FROM numbers`,
    [tasks, series, PAYLOAD, ready === 1 ? "2026-01-01T00:00:00.000Z" : FAR, ready]
  )
}

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
    for (const [ready, wanted] of [
      [1, count],
      [0, delayed]
    ] as const) {
      const have =
        this.db
          .query<{ n: number }, [number]>(
            "SELECT count(*) AS n FROM tasks WHERE ready = ? AND status = 'pending'"
          )
          .get(ready)?.n ?? 0
      fill(this.db, ready, wanted - have, this.fills++)
    }
    this.db.run("PRAGMA wal_checkpoint(RESTART)")
  }

  /** Adds tasks as a producer's door does, each in a commit of its own, or all in one. */
  enqueue(times: number, how: "one by one" | "at once"): Promise<void> {
    return this.runtime.runPromise(
      Effect.gen(function* () {
        const store = yield* Store
        const now = yield* stamp
        const addAll = Effect.repeatN(
          Effect.suspend(() => store.tasks.add(newTask(Bun.randomUUIDv7(), now.at), now)),
          times - 1
        )
        yield* how === "at once" ? store.transact("Bench.enqueue", addAll) : addAll
      })
    )
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
