import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { Lock, LockUnusable } from "../../src/dispatch/Lock.ts"
import { sweep } from "../../src/dispatch/Sweep.ts"
import { RunnerId, TaskId } from "../../src/domain/Ids.ts"
import { cancelRunning } from "../../src/operate/ForceCancel.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { claimAs, DEAD, OTHER_LOCK, stamp } from "./others.ts"
import { queue, says, taskOf, world } from "./world.ts"

const quiet = { adapters: { local: says("hello") } }

const unseen = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Lock, (lock) =>
    Effect.provideService(program, Lock, {
      ...lock,
      holder: (path) => new LockUnusable({ path, reason: "EACCES", remedy: "" })
    })
  )

describe("a dispatcher with another lock path", () => {
  it.effect("is left alone while it holds that lock", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const id = yield* queue()
      yield* claimAs(DEAD, "a1", OTHER_LOCK)
      expect(yield* sweep().pipe(lock.hold(OTHER_LOCK, DEAD))).toBe(0)
      expect((yield* taskOf(id)).status).toBe("running")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is dead when nobody holds that lock, and when somebody else does", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const free = yield* queue()
      yield* claimAs(DEAD, "a1", OTHER_LOCK)
      expect(yield* sweep()).toBe(1)
      expect((yield* taskOf(free)).status).toBe("retryable_failure")
      const id = yield* queue({ priority: 9 })
      yield* claimAs(DEAD, "a2", OTHER_LOCK)
      expect(yield* sweep().pipe(lock.hold(OTHER_LOCK, RunnerId.make("heir:2:now")))).toBe(1)
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is left alone when its lock cannot be looked at, and the sweep goes on", () =>
    Effect.gen(function* () {
      const [hidden, plain] = [yield* queue({ priority: 9 }), yield* queue()]
      yield* claimAs(RunnerId.make("hidden:1:then"), "a1", OTHER_LOCK)
      yield* claimAs(DEAD, "a2")
      expect(yield* unseen(sweep())).toBe(1)
      expect((yield* taskOf(hidden)).status).toBe("running")
      expect((yield* taskOf(plain)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is dead all the same when its process is gone, and when its record was ended", () => {
    const gone = new Set<RunnerId>()
    return Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* claimAs(DEAD, "a1", OTHER_LOCK)
      expect(yield* unseen(sweep())).toBe(0)
      gone.add(DEAD)
      expect(yield* unseen(sweep())).toBe(1)
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
      const ended = RunnerId.make("ended:1:then")
      const other = yield* queue({ priority: 9 })
      yield* claimAs(ended, "a2", OTHER_LOCK)
      yield* store.runners.end(ended, yield* stamp)
      expect(yield* unseen(sweep())).toBe(1)
      expect((yield* taskOf(other)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world({ ...quiet, gone })))
  })

  it.effect(
    "whose lock cannot be looked at loses the attempt that an operator ends, which is explained",
    () =>
      Effect.gen(function* () {
        const id = yield* queue()
        yield* claimAs(DEAD, "a1", OTHER_LOCK)
        const why = Option.getOrThrow(yield* unseen(Effect.flatMap(taskOf(id), waiting)))
        expect([why.reason, why.detail]).toEqual([
          "operator",
          `whether its dispatcher ${DEAD} lives cannot be told from ${OTHER_LOCK} (EACCES); agent-runtime run-once as a user that can read that file puts back what a dead one left, and agent-runtime task-cancel ${id} --force ends it`
        ])
        const canceled = yield* unseen(
          cancelRunning(id, TaskId.make("next"), Option.some("it is gone"), yield* stamp)
        )
        expect([canceled._tag, (yield* taskOf(id)).status]).toEqual(["Moved", "operator_canceled"])
      }).pipe(Effect.provide(world(quiet)))
  )
})
