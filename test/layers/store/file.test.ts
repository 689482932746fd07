import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Duration, Effect, Layer, Option, Queue, Stream } from "effect"
import { layer, Sqlite } from "../../../layers/store/Sqlite.ts"
import { file } from "../../../layers/store/SqlStore.ts"
import { statement } from "../../../layers/store/statement.ts"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import { storeSuite } from "../../conformance/store.ts"
import { it } from "../../support/effect.ts"
import { type OtherProcess, otherProcess } from "../../support/otherProcess.ts"
import { newTask, onFile, stampAt, taskId } from "../../support/store.ts"

/** Starting other processes takes its time on a busy machine. */
const SLOW = 60_000

let folder = ""
let count = 0
const fresh = () => join(folder, `${count++}`, "runtime.db")

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-store-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

storeSuite("on a file", () => onFile(fresh()))

const open = (filename: string, busyFor: Duration.DurationInput = "10 seconds") =>
  Layer.build(file({ filename, durability: "normal", busyFor })).pipe(
    Effect.map((context) => Context.get(context, Store))
  )

/** Another process, ended with the test. */
const other = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => otherProcess(...args)),
    (process) => Effect.promise(() => process.kill())
  )
const told = (process: OtherProcess) => Effect.promise(() => process.next())

describe("two stores on one file", () => {
  it.live("see each other's commits at once, and never an open transaction", () =>
    Effect.gen(function* () {
      const filename = fresh()
      const [left, right] = [yield* open(filename), yield* open(filename)]
      yield* left.transact(
        "open",
        Effect.gen(function* () {
          yield* left.tasks.add(newTask("a"), stampAt(0))
          const beside = new Database(filename, { readonly: true })
          expect(beside.query("SELECT count(*) AS n FROM tasks").get()).toEqual({ n: 0 })
          beside.close()
        })
      )
      expect((yield* right.tasks.counts).pending).toBe(1)
      expect(Option.isSome(yield* right.tasks.find(taskId("a")))).toBe(true)
    })
  )

  it.live("share the turn to write", () =>
    Effect.gen(function* () {
      const filename = fresh()
      const stores = [yield* open(filename), yield* open(filename)]
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) =>
          stores[index % 2]!.tasks.add(newTask(`t${index}`, { dedupeKey: `${index % 10}` }), stampAt(index)),
        { concurrency: "unbounded" }
      )
      expect((yield* stores[0]!.tasks.counts).pending).toBe(10)
    })
  )

  it.live("wake each other", () =>
    Effect.gen(function* () {
      const filename = fresh()
      const [left, right] = [yield* open(filename), yield* open(filename)]
      const seen = yield* Queue.unbounded<void>()
      yield* Effect.forkScoped(Stream.runForEach(left.changes, () => Queue.offer(seen, undefined)))
      yield* Queue.take(seen)
      for (let round = 0; round < 5; round++) {
        yield* right.tasks.add(newTask(`t${round}`), stampAt(0))
        while ((yield* left.tasks.counts).pending !== round + 1) yield* Queue.take(seen)
      }
    })
  )
})

describe("two processes on one file", () => {
  it.live(
    "make one task of each dedupe key",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        const workers = [
          yield* other("add", filename, "left", "60"),
          yield* other("add", filename, "right", "60")
        ]
        for (const worker of workers) expect(yield* told(worker)).toBe("ready")
        for (const worker of workers) worker.goOn()
        const created: ReadonlyArray<ReadonlyArray<string>> = yield* Effect.forEach(workers, (worker) =>
          Effect.map(told(worker), (line) => JSON.parse(line))
        )
        expect(created.flat().length).toBe(60)
        expect(new Set(created.flat().map((id) => id.split(" ")[1])).size).toBe(60)
        expect((yield* store.tasks.counts).pending).toBe(60)
        const events = yield* store.events.newest(500)
        expect(events.map((event) => event.eventType).sort()).toEqual([
          ...Array.from({ length: 60 }, () => "task_deduped"),
          ...Array.from({ length: 60 }, () => "task_enqueued")
        ])
        expect(events.map((event) => event.id)).toEqual(
          [...events.map((event) => event.id)].sort((a, b) => a - b)
        )
      }),
    SLOW
  )

  it.live(
    "give each task to one of them",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        for (let index = 0; index < 60; index++) yield* store.tasks.add(newTask(`t${index}`), stampAt(index))
        const workers = [yield* other("work", filename, "left"), yield* other("work", filename, "right")]
        for (const worker of workers) expect(yield* told(worker)).toBe("ready")
        for (const worker of workers) worker.goOn()
        const done: ReadonlyArray<ReadonlyArray<string>> = yield* Effect.forEach(workers, (worker) =>
          Effect.map(told(worker), (line) => JSON.parse(line))
        )
        expect(done.flat().length).toBe(60)
        expect(new Set(done.flat()).size).toBe(60)
        expect((yield* store.maintenance.health(true)).problems).toEqual([])
      }),
    SLOW
  )

  it.live(
    "wake each other: a commit of another process is seen",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        const worker = yield* other("demand", filename)
        expect(yield* told(worker)).toBe("ready")
        const seen = yield* Queue.unbounded<void>()
        yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Queue.offer(seen, undefined)))
        yield* Queue.take(seen)
        for (let round = 0; round < 5; round++) {
          worker.goOn()
          while ((yield* store.tasks.counts).pending !== round + 1) yield* Queue.take(seen)
          expect(yield* told(worker)).toBe("added")
        }
      }),
    SLOW
  )

  it.live(
    "wait for each other: a write succeeds once the lock is free, and reads go on meanwhile",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        const holder = yield* other("lock", filename)
        expect(yield* told(holder)).toBe("ready")
        const writing = yield* Effect.fork(
          Effect.forEach(["a", "b", "c"], (name) => store.tasks.add(newTask(name), stampAt(0)), {
            concurrency: "unbounded"
          })
        )
        yield* Effect.repeatN(Effect.yieldNow(), 10)
        expect((yield* store.tasks.counts).pending).toBe(0)
        holder.goOn()
        expect((yield* writing.await)._tag).toBe("Success")
        expect((yield* store.tasks.counts).pending).toBe(3)
      }),
    SLOW
  )

  it.live(
    "give up when the lock is not given back, saying how long they waited, all that waited together",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename, "500 millis")
        const holder = yield* other("lock", filename)
        expect(yield* told(holder)).toBe("ready")
        const [took, failed] = yield* Effect.timed(
          Effect.forEach(
            ["a", "b", "c", "d"],
            (name) => Effect.flip(store.tasks.add(newTask(name), stampAt(0))),
            {
              concurrency: "unbounded"
            }
          )
        )
        for (const error of failed)
          expect(error).toMatchObject({
            _tag: "StoreUnavailable",
            path: filename,
            reason: "another process kept it locked for 0.5 seconds",
            remedy: "find the process that holds it and try again; nothing was changed"
          })
        expect(Duration.toMillis(took)).toBeGreaterThanOrEqual(500)
        expect(Duration.toMillis(took)).toBeLessThan(4_000)
        holder.goOn()
        expect(yield* told(holder)).toBe("done")
        expect((yield* store.tasks.add(newTask("e"), stampAt(0))).created).toBe(true)
      })
  )

  it.live(
    "let a fiber that waits for the lock be interrupted",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        const holder = yield* other("lock", filename)
        expect(yield* told(holder)).toBe("ready")
        const [took, stopped] = yield* Effect.timed(
          store.tasks.add(newTask("a"), stampAt(0)).pipe(Effect.timeoutOption("60 millis"))
        )
        expect(Option.isNone(stopped)).toBe(true)
        expect(Duration.toMillis(took)).toBeLessThan(5_000)
        holder.goOn()
        expect(yield* told(holder)).toBe("done")
        expect((yield* store.tasks.add(newTask("b"), stampAt(0))).created).toBe(true)
        expect(yield* store.tasks.find(taskId("a"))).toEqual(Option.none())
      }),
    SLOW
  )

  it.live(
    "keep what was acknowledged when one of them is killed",
    () =>
      Effect.gen(function* () {
        const filename = fresh()
        const store = yield* open(filename)
        yield* store.tasks.add(newTask("a"), stampAt(0))
        const worker = yield* other("hang", filename)
        expect(yield* told(worker)).toBe("a")
        yield* Effect.promise(() => worker.kill())
        expect((yield* store.tasks.counts).running).toBe(1)
        const left = yield* store.attempts.openOfOthers(RunnerId.make("somebody"))
        expect(left.map((attempt) => String(attempt.attemptId))).toEqual(["hung"])
      }),
    SLOW
  )
})

describe("a store on a file", () => {
  it.live("is found through a symbolic link", () =>
    Effect.gen(function* () {
      const filename = fresh()
      const left = yield* open(filename)
      const link = join(folder, "link.db")
      fs.symlinkSync(filename, link)
      const right = yield* open(link)
      yield* left.tasks.add(newTask("a"), stampAt(0))
      expect((yield* right.tasks.counts).pending).toBe(1)
    })
  )

  it.live("is not written by a statement outside a transaction", () => {
    const filename = fresh()
    return Effect.gen(function* () {
      yield* open(filename)
      const sqlite = yield* Effect.map(Layer.build(layer({ filename, durability: "normal" })), (context) =>
        Context.get(context, Sqlite)
      )
      const remove = statement("DELETE FROM listed_counts")
      expect((yield* Effect.flip(sqlite.rows(remove))).reason).toBe("it cannot be written")
      yield* sqlite.transact("remove", sqlite.rows(remove))
      expect(yield* sqlite.rows(statement("SELECT * FROM listed_counts"))).toEqual([])
    })
  })

  test("leaves neither journal nor lock behind when its last user is gone", async () => {
    const filename = fresh()
    await Effect.runPromise(
      Effect.flatMap(Store, (store) => store.tasks.add(newTask("a"), stampAt(0))).pipe(
        Effect.provide(file({ filename, durability: "full" }))
      )
    )
    expect(fs.readdirSync(join(filename, ".."))).toEqual(["runtime.db"])
  })
})
