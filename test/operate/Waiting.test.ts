import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, Schema, TestClock } from "effect"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { RunnerId, type TaskId } from "../../src/domain/Ids.ts"
import { pause } from "../../src/operate/Pause.ts"
import { Waiting, waiting } from "../../src/operate/Waiting.ts"
import { answer, DOOR, failing, queue, ran, says, taskOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }
const LOCK = "/memory/dispatch.lock"

const why = (id: TaskId) =>
  Effect.gen(function* () {
    const found = yield* waiting(yield* taskOf(id))
    return yield* Schema.encode(Schema.OptionFromNullOr(Waiting))(found)
  })

describe("a task waits", () => {
  it.effect("because it is not due, until then", () =>
    Effect.gen(function* () {
      const id = yield* queue({ schedule: { delayMinutes: 5 } })
      expect(yield* why(id)).toEqual({
        reason: "not_due",
        detail: "it is not due yet",
        until: "1970-01-01T00:05:00.000Z"
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("after a failed attempt, which is told, until the back-off is over", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const told = yield* why(id)
      expect(told?.reason).toBe("not_due")
      expect(told?.detail).toContain("exit_error: exit code 7: boom")
    }).pipe(Effect.provide(world({ adapters: { local: yields(failing) } })))
  )

  it.effect("because dispatch is paused, by whom and why", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* pause.run({ reason: Option.some("maintenance") }, DOOR.actor)
      expect(yield* why(id)).toEqual({
        reason: "paused",
        detail: "dispatch was paused by olga: maintenance",
        until: null
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("because its adapter cools down, until then, and not because of another's", () =>
    Effect.gen(function* () {
      yield* queue()
      const same = yield* queue()
      const other = yield* queue({ requestedAdapter: "other" })
      yield* ran
      const told = yield* why(same)
      expect(told).toMatchObject({ reason: "cooldown", until: "1970-01-01T00:01:40.000Z" })
      expect(told?.detail).toStartWith("adapter local cools down: ")
      expect((yield* why(other))?.reason).toBe("no_dispatcher")
      yield* TestClock.adjust("100 seconds")
      expect((yield* why(same))?.reason).toBe("no_dispatcher")
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields({ ...failing, retryAfterSeconds: Option.some(100) }), other: says("x") }
        })
      )
    )
  )

  it.effect("because no dispatcher is running", () =>
    Effect.gen(function* () {
      expect((yield* why(yield* queue()))?.reason).toBe("no_dispatcher")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("because the dispatcher has its hands full", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = () =>
        Effect.as(Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(goOn)), {})
      const story = Effect.gen(function* () {
        const [first, second] = [yield* queue(), yield* queue()]
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        expect(yield* why(first)).toBeNull()
        expect(yield* why(second)).toEqual({
          reason: "concurrency",
          detail: "1 of 1 attempts are running",
          until: null
        })
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(cycle)
      })
      yield* Effect.provide(story, world({ adapters: { local: slow } }))
    })
  )

  it.effect("because its adapter runs as many attempts as it may", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = () =>
        Effect.as(Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(goOn)), {})
      const story = Effect.gen(function* () {
        yield* queue()
        const second = yield* queue()
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        expect((yield* why(second))?.detail).toBe("adapter local runs 1 attempts, its most at once")
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(cycle)
      })
      const dispatch = {
        concurrency: 4,
        drainSeconds: 30,
        adapterConcurrency: new Map([["local", 1]]),
        untrustedAdapters: Option.none()
      }
      yield* Effect.provide(story, world({ adapters: { local: slow }, settings: { dispatch } }))
    })
  )

  it.effect("for an operator when it is blocked, with the reason", () =>
    Effect.gen(function* () {
      const id = yield* queue({ requestedProfile: "nobody" })
      yield* ran
      const told = yield* why(id)
      expect(told?.reason).toBe("operator")
      expect(told?.detail).toContain("profile nobody is not configured")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("for the answer to its question, until that expires", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* why(id)).toEqual({
        reason: "answer",
        detail: "it waits for an answer: Red or blue?",
        until: "2030-01-01T00:00:00.000Z"
      })
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: yields(
              answer({
                status: "blocked",
                machine_status: "blocked",
                question: { text: "Red or blue?", expires_at: "2030-01-01T00:00:00Z" }
              })
            )
          }
        })
      )
    )
  )
})

it.effect("a task that runs or has ended waits for nothing", () =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const id = yield* queue()
    yield* ran
    expect(yield* why(id).pipe(lock.hold(LOCK, RunnerId.make("x:1:y")))).toBeNull()
  }).pipe(Effect.provide(world(quiet)))
)
