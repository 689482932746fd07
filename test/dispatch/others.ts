import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR } from "./world.ts"

/** Another dispatcher, on record or not. */
export const DEAD = RunnerId.make("dead:1:then")
export const OTHER_LOCK = "/elsewhere/dispatch.lock"

export const stamp = Effect.map(now, (at) => ({ at, actor: DOOR.actor }))

/** Claims the best task for another dispatcher; with a lock path it is on record with that. */
export const claimAs = (runnerId: RunnerId, attempt: string, lockPath?: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const mark = yield* stamp
    if (lockPath !== undefined)
      yield* store.runners.begin(
        {
          runnerId,
          host: "memory",
          pid: 1,
          processMark: Option.none(),
          mode: "dispatch",
          lockPath,
          limits: {}
        },
        mark
      )
    const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
    const found = yield* store.tasks.claim({
      lanes,
      attemptId: AttemptId.make(attempt),
      runnerId,
      host: "memory",
      stamp: mark
    })
    expect(found._tag).toBe("Claimed")
  })
