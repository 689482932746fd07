import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Option, Schema, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, RunnerId, type TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Waiting } from "../../src/operate/answers/Waiting.ts"
import { pause } from "../../src/operate/Pause.ts"
import { upcoming } from "../../src/operate/TaskPages.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { budget } from "../dispatch/budgets.ts"
import { answer, DOOR, failing, queue, ran, says, taskOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }
const LOCK = "/memory/dispatch.lock"

const why = (id: TaskId) =>
  Effect.gen(function* () {
    const found = yield* waiting(yield* taskOf(id))
    return yield* Schema.encode(Schema.OptionFromNullOr(Waiting))(found)
  })

const RUNNER = RunnerId.make("host:7:then")

/** Claims the best task in another process's name. */
const claimFor = (runnerId: RunnerId, attempt: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.tasks.claim({
      lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
      attemptId: AttemptId.make(attempt),
      runnerId,
      host: "memory",
      stamp: { at: yield* now, actor: DOOR.actor }
    })
  })

/** The adapters of the world, some of which have another probe. */
const withProbe = (probe: Adapter["probe"], sick: ReadonlyArray<string> = ["local"]) =>
  Effect.map(AdapterRegistry, (registry) =>
    AdapterRegistry.of({
      ids: registry.ids,
      get: (id) => Option.map(registry.get(id), (one) => (sick.includes(id) ? { ...one, probe } : one))
    })
  )
const withSick = (sick: ReadonlyArray<string>) =>
  withProbe(
    Effect.succeed({ ok: false, reason: "there is no such program", remedy: "install it", warnings: [] }),
    sick
  )

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

  it.effect("not for its time where it was due when it was queued, though the clock was set back since", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 days")
      const [plain, put] = [yield* queue(), yield* queue({ schedule: { delayMinutes: 5 } })]
      yield* TestClock.setTime(0)
      expect((yield* why(plain))?.reason).toBe("no_dispatcher")
      expect((yield* why(put))?.reason).toBe("not_due")
      expect((yield* ran).taskId).toBe(plain)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("for whoever sets it aside, as it has no attempt left", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const used = { ...(yield* taskOf(id)), attemptCount: 3 }
      expect(Option.getOrThrow(yield* waiting(used))).toMatchObject({
        reason: "operator",
        detail: "its attempts are used up: whoever would claim it sets it aside as blocked"
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("behind a task of higher priority that has become due and was not promoted yet", () =>
    Effect.gen(function* () {
      const low = yield* queue({ priority: 5 })
      const high = yield* queue({ priority: 90, schedule: { delayMinutes: 5 } })
      expect((yield* why(low))?.reason).toBe("no_dispatcher")
      yield* TestClock.adjust("5 minutes")
      expect(yield* why(low)).toMatchObject({
        reason: "priority",
        detail: "it is behind 1 task of higher priority; no dispatcher is running"
      })
      expect((yield* why(high))?.reason).toBe("no_dispatcher")
      const { tasks } = yield* upcoming.run({ limit: 10 }, DOOR.actor)
      expect(tasks.map(({ taskId }) => taskId)).toEqual([high, low])
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

describe("a task that may start waits", () => {
  it.effect("behind those of higher priority in lanes that are open, counted; older ones do not count", () =>
    Effect.gen(function* () {
      yield* queue()
      const id = yield* queue()
      expect((yield* why(id))?.reason).toBe("no_dispatcher")
      yield* Effect.forEach([6, 9, 100], (priority) => queue({ priority }))
      yield* queue({ priority: 50, requestedAdapter: "cooling" })
      const store = yield* Store
      const cooldown = { adapterId: "cooling", reason: Option.none(), until: DateTime.unsafeMake(60_000) }
      yield* store.gates.coolDown(cooldown, Option.none(), { at: yield* now, actor: DOOR.actor })
      expect(yield* why(id)).toEqual({
        reason: "priority",
        detail: "it is behind 3 tasks of higher priority; no dispatcher is running",
        until: null
      })
    }).pipe(Effect.provide(world({ adapters: { local: says("x"), cooling: says("x") } })))
  )

  it.effect("behind 1000+ where there are more", () =>
    Effect.gen(function* () {
      const id = yield* queue({ priority: 0 })
      yield* Effect.forEach(Array.from({ length: 1_000 }), () => queue())
      expect((yield* why(id))?.detail).toContain("behind 1000 tasks")
      yield* queue()
      expect((yield* why(id))?.detail).toContain("behind 1000+ tasks")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("until its adapter can run, as a warning; a fallback that passes makes it none", () =>
    Effect.gen(function* () {
      const sick = yield* queue()
      const served = yield* queue({ requestedAdapter: "served" })
      expect(yield* why(sick)).toEqual({
        reason: "probe",
        detail:
          "adapter local fails its probe, and no fallback passes: there is no such program; install it; the attempt is made all the same",
        until: null
      })
      expect((yield* why(served))?.reason).toBe("no_dispatcher")
    }).pipe(
      Effect.provideServiceEffect(AdapterRegistry, withSick(["local", "served"])),
      Effect.provide(
        world({
          adapters: { local: says("x"), served: says("x"), well: says("x") },
          configured: [scriptSettings("served", { fallbackAdapter: Option.some("well") })]
        })
      )
    )
  )

  it.effect("for the budget of the fallback that it would run on", () =>
    Effect.gen(function* () {
      yield* queue({ requestedAdapter: "well" })
      yield* runOnce
      const id = yield* queue({ requestedAdapter: "served" })
      expect(yield* why(id)).toEqual({
        reason: "budget",
        detail: expect.stringMatching(
          /^adapter served fails its probe; of its fallback well: budget daily.*1 of 1 attempts spent today/
        ),
        until: "1970-01-02T00:00:00.000Z"
      })
    }).pipe(
      Effect.provideServiceEffect(AdapterRegistry, withSick(["served"])),
      Effect.provide(
        world({
          adapters: { local: says("x"), served: says("x"), well: says("x") },
          configured: [scriptSettings("served", { fallbackAdapter: Option.some("well") })],
          settings: { budgets: [budget({ per: "adapter", match: Option.some("well"), limit: 1 })] }
        })
      )
    )
  )

  it.effect("no longer than a second for a probe that does not end", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const asked = yield* Effect.fork(why(id))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(asked))?.reason).toBe("no_dispatcher")
    }).pipe(
      Effect.provideServiceEffect(AdapterRegistry, withProbe(Effect.never)),
      Effect.provide(world(quiet))
    )
  )

  it.effect("for a dispatcher that has room, which is about to take it", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const id = yield* queue()
      expect(yield* why(id).pipe(lock.hold(LOCK, RUNNER))).toEqual({
        reason: "concurrency",
        detail: `dispatcher ${RUNNER} has room for it and is about to take it`,
        until: null
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("while the dispatcher runs as many as its own record says, behind older ones", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const store = yield* Store
      const stamp = { at: yield* now, actor: DOOR.actor }
      const record = {
        runnerId: RUNNER,
        host: "h",
        pid: 1,
        processMark: Option.none(),
        mode: "dispatch" as const,
        lockPath: LOCK
      }
      yield* store.runners.begin({ ...record, limits: { concurrency: 2 } }, stamp)
      for (let n = 0; n < 3; n++) yield* queue()
      const last = yield* queue()
      yield* claimFor(RUNNER, "a1")
      const told = why(last).pipe(lock.hold(LOCK, RUNNER))
      expect((yield* told)?.detail).toContain("about to take it")
      yield* claimFor(RUNNER, "a2")
      expect(yield* told).toMatchObject({
        reason: "concurrency",
        detail: "2 of 2 attempts are running, and 1 older task comes first"
      })
      yield* store.runners.drains(RUNNER, stamp)
      expect(yield* told).toEqual({
        reason: "no_dispatcher",
        detail: `dispatcher ${RUNNER} is stopping since 1970-01-01T00:00:00.000Z: it waits for what runs and claims nothing more`,
        until: null
      })
    }).pipe(Effect.provide(world(quiet)))
  )
})

it.effect("a task whose dispatcher died waits for the next one", () =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const id = yield* queue()
    const dead = RunnerId.make("dead:1:then")
    yield* claimFor(dead, "a1")
    expect(yield* why(id).pipe(lock.hold(LOCK, dead))).toBeNull()
    const told = yield* why(id)
    expect(told).toMatchObject({
      reason: "no_dispatcher",
      detail: expect.stringContaining("dead:1:then is gone")
    })
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("a task that runs or has ended waits for nothing", () =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const id = yield* queue()
    yield* ran
    expect(yield* why(id).pipe(lock.hold(LOCK, RunnerId.make("x:1:y")))).toBeNull()
  }).pipe(Effect.provide(world(quiet)))
)
