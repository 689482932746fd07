import { Database } from "bun:sqlite"
import { Effect, Stream } from "effect"
import { MIGRATIONS } from "../../layers/store/Migrations.ts"
import { file } from "../../layers/store/SqlStore.ts"
import { ensure } from "../../layers/store/StoreFile.ts"
import { Store } from "../../src/store/Store.ts"
import { attemptId, claimed, complete, newTask, settle, stampAt } from "./store.ts"

/**
 * Another process on a store, for the tests of layers/store. Arguments: what to do, the file, and what that
 * needs. It says `ready` when it has begun, waits for a line where it must, and prints what it found as JSON.
 */
const [verb = "", filename = "", ...args] = process.argv.slice(2)

const say = (value: unknown) =>
  Effect.promise(() =>
    Bun.write(Bun.stdout, `${typeof value === "string" ? value : JSON.stringify(value)}\n`)
  )

const lines = Stream.fromAsyncIterable(console, (cause) => cause)
const toldToGoOn = Effect.orDie(Stream.runHead(lines))

/** Adds tasks with keys that every worker uses, a number of times, with so many milliseconds in between. */
const addWithKeys = (name: string, count: number, betweenMs: number) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* say("ready")
    yield* toldToGoOn
    const created: Array<string> = []
    for (let index = 0; index < count; index++) {
      const task = newTask(`${name} ${index}`, { dedupeKey: `key ${index}` })
      if ((yield* store.tasks.add(task, stampAt(index))).created) created.push(task.taskId)
      if (betweenMs > 0) yield* Effect.sleep(betweenMs)
    }
    yield* say(created)
  })

/** Claims and completes until nothing is left. */
const work = (name: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* say("ready")
    yield* toldToGoOn
    const done: Array<string> = []
    for (let index = 0; ; index++) {
      const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
      const found = yield* store.tasks.claim({
        lanes,
        attemptId: attemptId(`${name} ${index}`),
        runnerId: name as never,
        host: "host",
        stamp: stampAt(index)
      })
      if (found._tag !== "Claimed") break
      yield* settle(`${name} ${index}`, complete, index)
      done.push(found.claimed.task.taskId)
    }
    yield* say(done)
  })

/** Adds a task each time that it is told to, and says when it is committed. */
const addOnDemand = Effect.gen(function* () {
  const store = yield* Store
  yield* say("ready")
  let index = 0
  yield* Stream.runForEach(lines, () =>
    Effect.zipRight(
      Effect.suspend(() => store.tasks.add(newTask(`other ${index++}`), stampAt(0))),
      say("added")
    )
  )
})

/** Holds the write lock until it is told to go on. */
const holdLock = Effect.gen(function* () {
  const db = new Database(filename)
  db.run("PRAGMA busy_timeout = 5000")
  db.run("BEGIN IMMEDIATE")
  db.run("UPDATE listed_counts SET n = n WHERE status = 'pending'")
  yield* say("ready")
  yield* toldToGoOn
  db.run("COMMIT")
  yield* say("done")
  db.close()
})

const counts = Effect.gen(function* () {
  const store = yield* Store
  yield* say((yield* store.tasks.counts).pending)
})

/** Takes a task and is killed with it. */
const claimAndHang = Effect.gen(function* () {
  const { task } = yield* claimed("hung")
  yield* say(task.taskId)
  return yield* Effect.never
})

/** Begins to make the file and stops half way. */
const makeHalf = ensure(filename, MIGRATIONS, (db) => {
  db.run("CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT")
  process.stdout.write("half made\n")
  for (;;) Bun.sleepSync(1_000)
})

/** What needs no store. */
const alone: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = { lock: holdLock, half: makeHalf }

const verbs: Readonly<Record<string, Effect.Effect<unknown, unknown, Store>>> = {
  add: addWithKeys(args[0] ?? "", Number(args[1]), Number(args[2] ?? 0)),
  work: work(args[0] ?? ""),
  demand: addOnDemand,
  counts,
  hang: claimAndHang
}

await Effect.runPromise(
  alone[verb] ??
    Effect.provide(
      verbs[verb] ?? Effect.dieMessage(`no verb ${verb}`),
      file({ filename, durability: "normal" })
    )
)
process.exit(0)
