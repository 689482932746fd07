import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { pause } from "../../src/operate/Pause.ts"
import { waitingTasks } from "../../src/operate/WaitingTasks.ts"
import { DOOR, failing, queue, ran, says, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const input = { status: [], kind: Option.none(), source: Option.none(), limit: 50, after: Option.none() }

const told = Effect.flatMap(waitingTasks.run(input, DOOR.actor), Schema.encode(waitingTasks.output))

describe("what waits", () => {
  it.effect("is every unfinished task with why, and no other", () =>
    Effect.gen(function* () {
      yield* queue({ priority: 100, requestedAdapter: "well" })
      yield* ran
      const failed = yield* queue({ priority: 90 })
      yield* ran
      const blocked = yield* queue({ priority: 80, requestedProfile: "nobody" })
      yield* ran
      const later = yield* queue({ schedule: { delayMinutes: 5 } })
      const held = yield* queue()
      yield* pause.run({ reason: Option.none() }, DOOR.actor)
      const { next, tasks } = yield* told
      expect(next).toBeNull()
      expect(tasks.map((one) => [one.task_id, one.waiting.reason])).toEqual([
        [held, "paused"],
        [later, "not_due"],
        [blocked, "operator"],
        [failed, "not_due"]
      ])
    }).pipe(Effect.provide(world({ adapters: { local: yields(failing), well: says("x") } })))
  )
})
