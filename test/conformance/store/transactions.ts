import { expect } from "bun:test"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Queue, Stream } from "effect"
import { Store } from "../../../src/store/Store.ts"
import { add, attemptId, claim, newTask, Raw, settle, stampAt, taskId } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const ids = Effect.flatMap(Store, (store) =>
  Effect.map(
    store.tasks.list(
      { status: [], kind: Option.none(), source: Option.none() },
      { limit: 100, after: Option.none() }
    ),
    (page) =>
      Option.getOrThrow(page)
        .tasks.map((task) => String(task.taskId))
        .sort()
  )
)

const defect = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "no failure"

const inside = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Store, (store) => store.transact("outer", program))

export const transactions = (check: Sentence) => {
  check(
    "keeps all of a transaction or nothing, whatever ends it",
    Effect.gen(function* () {
      const half = (end: Effect.Effect<unknown, string>) => inside(Effect.zipRight(add("half"), end))
      expect(yield* Effect.flip(half(Effect.fail("no")))).toBe("no")
      expect(defect(yield* Effect.exit(half(Effect.dieMessage("a bug"))))).toContain("a bug")
      expect(Exit.isInterrupted(yield* Effect.exit(half(Effect.interrupt)))).toBe(true)
      expect(yield* ids).toEqual([])
      yield* inside(Effect.zipRight(add("a"), add("b")))
      expect(yield* ids).toEqual(["a", "b"])
    })
  )

  check(
    "reads its own writes inside a transaction",
    Effect.gen(function* () {
      yield* inside(
        Effect.gen(function* () {
          yield* add("a")
          expect(yield* ids).toEqual(["a"])
          const store = yield* Store
          expect((yield* store.tasks.counts).pending).toBe(1)
        })
      )
    })
  )

  check(
    "shows others nothing of a transaction that is not committed",
    Effect.gen(function* () {
      const store = yield* Store
      const [reached, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const undone = yield* Effect.fork(
        inside(
          Effect.all([add("a"), Deferred.succeed(reached, undefined), Deferred.await(go), Effect.fail("no")])
        )
      )
      yield* Deferred.await(reached)
      const reading = yield* Effect.fork(store.tasks.counts)
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      yield* Deferred.succeed(go, undefined)
      expect((yield* Fiber.join(reading)).pending).toBe(0)
      expect(yield* Effect.flip(Fiber.join(undone))).toBe("no")
    })
  )

  check(
    "joins: a part that fails takes the whole with it",
    Effect.gen(function* () {
      const store = yield* Store
      const part = store.transact("part", Effect.zipRight(add("of the part"), Effect.fail("no")))
      expect(yield* Effect.flip(inside(Effect.zipRight(add("a"), part)))).toBe("no")
      expect(yield* ids).toEqual([])
    })
  )

  check(
    "keeps nothing when a part failed half way and the whole went on as if it had not",
    Effect.gen(function* () {
      const store = yield* Store
      const part = store.transact("part", Effect.zipRight(add("of the part"), Effect.fail("no")))
      const exit = yield* Effect.exit(inside(Effect.zipRight(add("a"), Effect.ignore(part))))
      expect(defect(exit)).toContain("the transaction outer went on after part had failed in it")
      expect(yield* ids).toEqual([])
      const refused = store.transact("refusal", Effect.fail("no"))
      yield* inside(Effect.zipRight(add("a"), Effect.ignore(refused)))
      expect(yield* ids).toEqual(["a"])
    })
  )

  check(
    "lets a statement of another fiber die with a message, and keeps nothing",
    Effect.gen(function* () {
      const forked = yield* Effect.exit(
        inside(Effect.zipRight(add("a"), Effect.all([add("b"), add("c")], { concurrency: 2 })))
      )
      expect(defect(forked)).toContain("the transaction outer was used by a fiber that is not its own")
      expect(yield* ids).toEqual([])
    })
  )

  check(
    "lets a statement of a fiber that outlives its transaction die with a message",
    Effect.gen(function* () {
      const store = yield* Store
      const go = yield* Deferred.make<void>()
      const child = yield* inside(
        Effect.forkDaemon(Effect.zipRight(Deferred.await(go), Effect.exit(store.tasks.find(taskId("a")))))
      )
      yield* Deferred.succeed(go, undefined)
      expect(defect(yield* Fiber.join(child))).toContain("was used by a fiber that is not its own")
    })
  )

  check(
    "rolls back and gives its turn on when its fiber is interrupted in the middle",
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const stuck = yield* Effect.fork(
        inside(Effect.all([add("a"), Deferred.succeed(reached, undefined), Effect.never]))
      )
      yield* Deferred.await(reached)
      const waiting = yield* Effect.fork(add("waits in vain"))
      const next = yield* Effect.fork(add("b"))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(stuck)
      expect((yield* Fiber.join(next)).created).toBe(true)
      expect(yield* ids).toEqual(["b"])
    })
  )

  check(
    "goes on after a commit that failed",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* raw.run("CREATE TABLE parents (id TEXT PRIMARY KEY) STRICT")
      yield* raw.run(
        "CREATE TABLE children (id TEXT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT"
      )
      yield* raw.run(
        "CREATE TRIGGER orphans AFTER INSERT ON tasks WHEN NEW.kind = 'orphan' BEGIN INSERT INTO children VALUES ('none'); END"
      )
      const failed = yield* Effect.flip(add("orphan", { kind: "orphan" }))
      expect(failed).toMatchObject({ _tag: "StoreUnavailable" })
      expect(String(failed.reason)).toContain("FOREIGN KEY")
      expect((yield* add("b")).created).toBe(true)
      expect(yield* ids).toEqual(["b"])
    })
  )

  check(
    "runs what many fibers begin one after the other and loses none",
    Effect.gen(function* () {
      const store = yield* Store
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, index) => index),
        (index) => Effect.all([store.tasks.counts, add(`t${index}`), store.tasks.lanes]),
        { concurrency: "unbounded", discard: true }
      )
      expect((yield* store.tasks.counts).pending).toBe(200)
    })
  )

  check(
    "names what it was that had no value",
    Effect.gen(function* () {
      const store = yield* Store
      const exit = yield* Effect.exit(store.tasks.children(taskId("a"), undefined as never))
      expect(defect(exit)).toContain("no value for :limit")
    })
  )

  check(
    "tells that it has begun to listen, then every commit that changed something, and no other",
    Effect.gen(function* () {
      const store = yield* Store
      const seen = yield* Queue.unbounded<void>()
      yield* Effect.fork(Stream.runForEach(store.changes, () => Queue.offer(seen, undefined)))
      yield* Queue.take(seen)
      yield* Effect.yieldNow()
      yield* claim("nothing there")
      yield* Effect.exit(inside(Effect.zipRight(add("undone"), Effect.fail("no"))))
      yield* store.tasks.promote(stampAt(9).at)
      yield* Effect.repeatN(Effect.yieldNow(), 50)
      expect(yield* Queue.size(seen)).toBe(0)
      yield* store.tasks.add(newTask("a"), stampAt(0))
      yield* Queue.take(seen)
      yield* claim("a1")
      yield* Queue.take(seen)
      yield* settle("a1", { _tag: "Cancel", reason: "x" })
      yield* Queue.take(seen)
      expect(Option.isSome(yield* store.attempts.find(attemptId("a1")))).toBe(true)
    })
  )

  check(
    "lets go of what listened to it",
    Effect.gen(function* () {
      const store = yield* Store
      for (let round = 0; round < 50; round++) yield* Stream.runDrain(Stream.take(store.changes, 1))
      expect((yield* add("a")).created).toBe(true)
    })
  )
}
