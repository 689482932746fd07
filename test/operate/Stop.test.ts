import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, Schema, TestClock } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { now } from "../../src/domain/Time.ts"
import { pause } from "../../src/operate/Pause.ts"
import { stop } from "../../src/operate/Stop.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, detailsOf, history, queue, says, taskOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const stopped = (reason: Option.Option<string> = Option.none()) =>
  Effect.flatMap(stop.run({ reason }, DOOR.actor), Schema.encode(stop.output))

describe("stop", () => {
  it.effect("pauses first, and has everything that runs canceled; what waits goes on waiting", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const adapter = (job: Job) =>
        Deferred.succeed(began, undefined).pipe(
          Effect.zipRight(Deferred.await(job.stop)),
          Effect.as({ exitStatus: "canceled" as const })
        )
      const story = Effect.gen(function* () {
        const [first, second] = [yield* queue(), yield* queue()]
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        const told = yield* stopped(Option.some("wrong key"))
        expect(told).toMatchObject({
          paused: true,
          reason: "wrong key",
          canceled: { matched: 1, moved: 1, refused: 0 }
        })
        // So often a running attempt looks for a request.
        yield* TestClock.adjust("50 millis")
        yield* Fiber.join(cycle)
        expect((yield* taskOf(first)).status).toBe("operator_canceled")
        expect(yield* detailsOf(first, "task_cancel_requested")).toEqual([
          { reason: "wrong key", bulk_id: told.canceled.bulk_id }
        ])
        expect((yield* taskOf(second)).status).toBe("pending")
        expect((yield* runOnce)._tag).toBe("Paused")
      })
      yield* Effect.provide(story, world({ adapters: { local: adapter } }))
    })
  )

  it.effect("pauses also where nothing runs, with a reason of its own", () =>
    Effect.gen(function* () {
      expect(yield* stopped()).toMatchObject({
        paused: true,
        reason: "stop --now",
        canceled: { matched: 0, moved: 0 }
      })
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )

  it.effect("takes the place of a pause that its dispatcher would end by itself", () =>
    Effect.gen(function* () {
      const { gates } = yield* Store
      const dispatcher = { surface: "dispatch", name: "host:1:then" } as const
      yield* gates.setPause(Option.some("no room"), { at: yield* now, actor: dispatcher })
      expect(yield* stopped()).toMatchObject({ reason: "stop --now (paused before: no room)" })
      expect(Option.getOrThrow(yield* gates.pause).actor).toEqual(DOOR.actor)
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )

  it.effect(
    "leaves a pause that is in force, tells since when and by whom it is, and adds to its reason",
    () =>
      Effect.gen(function* () {
        const ben = { surface: "http", name: "ben" } as const
        yield* pause.run({ reason: Option.some("wrong key") }, ben)
        yield* TestClock.adjust("1 minute")
        const before = { reason: "wrong key", updated_at: "1970-01-01T00:00:00.000Z", actor: ben }
        for (const again of [Option.none(), Option.some("wrong key")])
          expect(yield* stopped(again)).toMatchObject({
            reason: "wrong key",
            updated_at: "1970-01-01T00:00:00.000Z",
            before
          })
        expect(yield* stopped(Option.some("a leak"))).toMatchObject({
          reason: "a leak (paused before: wrong key)",
          updated_at: "1970-01-01T00:01:00.000Z",
          before
        })
        expect(yield* history).toEqual(["dispatch_pause_enabled", "dispatch_pause_enabled"])
      }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )
})
