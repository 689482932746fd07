import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { pause } from "../../src/operate/Pause.ts"
import { ended, page, reasons } from "../../src/operate/TaskPages.ts"
import { cancel, list } from "../../src/operate/Tasks.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, DOOR, queue, ran, says, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const told = (limit: number) =>
  Effect.flatMap(reasons.run({ limit }, DOOR.actor), Schema.encode(reasons.output))

describe("the queue's reasons", () => {
  it.effect("are told together, of those that would be taken first and of no more", () =>
    Effect.gen(function* () {
      const later = yield* queue({ schedule: { delayMinutes: 5 } })
      const last = yield* queue({ priority: 1 })
      const first = yield* queue({ priority: 9 })
      yield* pause.run({ reason: Option.some("repairs") }, DOOR.actor)
      expect((yield* told(2)).reasons.map((one) => [one.task_id, one.waiting.reason])).toEqual([
        [first, "paused"],
        [last, "paused"]
      ])
      expect((yield* told(9)).reasons.map((one) => [one.task_id, one.waiting.reason])).toEqual([
        [first, "paused"],
        [last, "paused"],
        [later, "not_due"]
      ])
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )
})

it.effect(
  "a list says so where it ended because so many rows had been read, whichever way it is asked for",
  () =>
    Effect.gen(function* () {
      const store = yield* Store
      const cut = {
        ...store,
        tasks: {
          ...store.tasks,
          list: () => Effect.succeedSome({ tasks: [], next: Option.some("cursor"), partial: true })
        }
      }
      const none = { kind: Option.none(), source: Option.none(), after: Option.none() }
      const asked = { ...none, status: [], limit: 5 }
      const both = [
        Effect.flatMap(list.run(asked, DOOR.actor), Schema.encode(list.output)),
        Effect.flatMap(page.run({ ...asked, words: Option.none() }, DOOR.actor), Schema.encode(page.output))
      ]
      for (const one of both)
        expect(yield* Effect.provideService(one, Store, cut)).toEqual({
          tasks: [],
          next: "cursor",
          partial: true
        })
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
)

describe("the tasks that have ended", () => {
  const used = { ...answer(), usage: { ...unknownUsage, inputTokens: Option.some(40) } }

  it.effect("are told with what their last attempt used", () =>
    Effect.gen(function* () {
      const done = yield* queue()
      yield* ran
      const never = yield* queue()
      yield* cancel.run({ id: never, reason: Option.none(), force: false }, DOOR.actor)
      const page = yield* Effect.flatMap(
        ended.run({ limit: 9, after: Option.none() }, DOOR.actor),
        Schema.encode(ended.output)
      )
      const usage = new Map(page.tasks.map((task) => [task.task_id as string, task.usage]))
      expect(usage.get(done)).toMatchObject({ input_tokens: 40, output_tokens: null })
      expect(usage.get(never)).toBeNull()
    }).pipe(Effect.provide(world({ adapters: { local: yields(used) } })))
  )
})
