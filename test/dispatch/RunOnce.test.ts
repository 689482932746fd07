import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Option, Ref, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { RUNNER, runnerOf } from "../../layers/Memory.ts"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import type { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import type { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { Runner } from "../../src/dispatch/Runner.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, type IdSource, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"
import { unwritable, whileTimePasses, withStore } from "./resident.ts"
import {
  attemptsOf,
  DOOR,
  detailsOf,
  failing,
  history,
  queue,
  ran,
  says,
  taskOf,
  typesOf,
  world,
  yields
} from "./world.ts"

const nothingDue = { schedulesEvaluated: 0, taskIds: [] }

const quiet = { adapters: { local: says("hello") } }

const pause = (reason: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.gates.setPause(Option.some(reason), { at: yield* now, actor: DOOR.actor })
  })

it.effect("a task whose script says something is completed with that as its summary", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const cycle = yield* runOnce
    const task = yield* taskOf(id)
    expect(cycle._tag).toBe("Ran")
    expect(task.status).toBe("completed")
    expect(Option.getOrThrow(task.outcome).operatorSummary).toBe("hello")
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("nothing to do is idle, and recorded", () =>
  Effect.gen(function* () {
    expect((yield* runOnce)._tag).toBe("Idle")
    expect(yield* history).toEqual(["dispatch_idle"])
  }).pipe(Effect.provide(world(quiet)))
)

describe("a paused dispatch", () => {
  it.effect("claims nothing, and the cycle is recorded with the reason", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* pause("the model is down")
      const cycle = yield* runOnce
      expect(cycle._tag).toBe("Paused")
      expect((yield* taskOf(id)).status).toBe("pending")
      expect((yield* taskOf(id)).attemptCount).toBe(0)
      const store = yield* Store
      const last = (yield* store.events.newest(1))[0]
      expect(last?.eventType).toBe("dispatch_paused")
      expect(last?.detail).toEqual({ reason: "the model is down" })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("takes hold although it came after the cycle had begun", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const context = yield* Effect.context<Store>()
      const cycle = yield* Effect.provideService(runOnce, Scheduler, {
        tick: () => Effect.provide(Effect.as(pause("now"), nothingDue), context),
        putRight: Effect.void,
        nextDue: Effect.succeedNone
      })
      expect(cycle._tag).toBe("Paused")
      expect((yield* taskOf(id)).status).toBe("pending")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("still gets its due schedules and what a dead dispatcher left", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* abandon
      yield* pause("maintenance")
      expect((yield* runOnce)._tag).toBe("Paused")
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
      yield* store.gates.clearPause({ at: yield* now, actor: DOOR.actor })
      expect((yield* runOnce)._tag).toBe("Ran")
    }).pipe(Effect.provide(world(quiet)))
  )
})

/** Claims the best task for a dispatcher that is dead. */
const abandon = Effect.gen(function* () {
  const store = yield* Store
  const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
  yield* store.tasks.claim({
    lanes,
    attemptId: AttemptId.make("dead-attempt"),
    runnerId: RunnerId.make("dead:1:then"),
    host: "memory",
    stamp: { at: yield* now, actor: DOOR.actor }
  })
})

it.effect("the steps come in order: what the dead left, what is due, then the claim", () =>
  Effect.gen(function* () {
    yield* queue({ subject: "left" })
    yield* abandon
    const context = yield* Effect.context<Store | RuntimeConfig | IdSource | KnownSecrets>()
    const due = Effect.map(queue({ subject: "due", priority: 9 }), (id) => ({
      schedulesEvaluated: 1,
      taskIds: [id]
    }))
    const cycle = yield* Effect.provideService(runOnce, Scheduler, {
      tick: () => Effect.provide(due, context),
      putRight: Effect.void,
      nextDue: Effect.succeedNone
    })
    expect(cycle._tag).toBe("Ran")
    expect(yield* history).toEqual([
      "task_enqueued",
      "task_claimed",
      "boot_sweep_reclaimed",
      "task_attempt_finished",
      "task_retry_scheduled",
      "task_enqueued",
      "task_claimed",
      "bundle_compiled",
      "task_started",
      "task_attempt_finished",
      "task_finished"
    ])
  }).pipe(Effect.provide(world(quiet)))
)

describe("the dispatch lock", () => {
  it.effect("keeps a second cycle out, which records nothing", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = () =>
        Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(goOn)).pipe(
          Effect.as({ lastMessage: "done" })
        )
      const story = Effect.gen(function* () {
        const [first, second] = [yield* queue(), yield* queue()]
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        const before = yield* history
        expect((yield* runOnce)._tag).toBe("Locked")
        expect(yield* history).toEqual(before)
        yield* Deferred.succeed(goOn, undefined)
        expect((yield* Fiber.join(cycle))._tag).toBe("Ran")
        expect((yield* taskOf(first)).status).toBe("completed")
        expect((yield* taskOf(second)).status).toBe("pending")
        expect((yield* runOnce)._tag).toBe("Ran")
      })
      yield* Effect.provide(story, world({ adapters: { local: slow } }))
    })
  )

  it.effect("names this runner while a cycle runs and is free afterwards", () =>
    Effect.gen(function* () {
      const seen = yield* Deferred.make<unknown>()
      const story = Effect.gen(function* () {
        const lock = yield* Lock
        const look = Effect.flatMap(Effect.orDie(lock.holder("/memory/dispatch.lock")), (holder) =>
          Deferred.succeed(
            seen,
            Option.flatMap(holder, (one) => one.runnerId)
          )
        )
        yield* Effect.provideService(runOnce, Scheduler, {
          tick: () => Effect.as(look, nothingDue),
          putRight: Effect.void,
          nextDue: Effect.succeedNone
        })
        expect(yield* Deferred.await(seen)).toEqual(Option.some(RUNNER))
        expect(yield* lock.holder("/memory/dispatch.lock")).toEqual(Option.none())
      })
      yield* Effect.provide(story, world(quiet))
    })
  )
})

describe("an interrupted cycle", () => {
  it.effect("stops the adapter, waits for its end and puts the task back uncounted, due at once", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const gone = yield* Deferred.make<string>()
      const adapter = (job: Job) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(began, undefined)
          const why = yield* Deferred.await(job.stop)
          // Its processes take five seconds to end.
          yield* Effect.sleep("5 seconds")
          yield* Deferred.succeed(gone, why)
          return { exitStatus: "canceled" as const, reason: Option.some("stopped by a drain") }
        })
      const story = Effect.gen(function* () {
        const id = yield* queue()
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        const interrupt = yield* Effect.fork(Fiber.interrupt(cycle))
        yield* TestClock.adjust("4 seconds")
        expect(yield* Deferred.isDone(gone)).toBe(false)
        expect((yield* taskOf(id)).status).toBe("running")
        expect(yield* Fiber.poll(interrupt)).toEqual(Option.none())
        const lock = yield* Lock
        expect(Option.isSome(yield* lock.holder("/memory/dispatch.lock"))).toBe(true)
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(interrupt)
        expect(yield* Deferred.await(gone)).toBe("drain")
        const task = yield* taskOf(id)
        expect(task.status).toBe("retryable_failure")
        expect(task.attemptCount).toBe(0)
        expect(DateTime.toEpochMillis(task.availableAt)).toBe(5_000)
        expect((yield* typesOf(id)).slice(-2)).toEqual(["task_attempt_finished", "dispatch_drained"])
        expect(yield* Effect.flatMap(Lock, (lock) => lock.holder("/memory/dispatch.lock"))).toEqual(
          Option.none()
        )
      })
      yield* Effect.provide(story, world({ adapters: { local: adapter } }))
    })
  )

  it.effect("is taken off the record of runners", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const adapter = (job: Job) =>
        Deferred.succeed(began, undefined).pipe(
          Effect.zipRight(Deferred.await(job.stop)),
          Effect.as({ exitStatus: "canceled" as const })
        )
      const story = Effect.gen(function* () {
        const sqlite = yield* Sqlite
        const open = sqlite.rows({ text: "SELECT runner_id FROM runners WHERE ended_at IS NULL", names: [] })
        yield* queue()
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        expect((yield* open).map((row) => row.runner_id)).toEqual([RUNNER])
        yield* Fiber.interrupt(cycle)
        expect(yield* open).toEqual([])
      })
      yield* Effect.provide(story, world({ adapters: { local: adapter } }))
    })
  )
})

/** Runs a cycle whose attempt's end meets what `meanwhile` gives, as often as it is tried to record it. */
const endMeets = (meanwhile: (tries: number) => Effect.Effect<void, StoreUnavailable>) =>
  Effect.gen(function* () {
    const tries = yield* Ref.make(0)
    const program = runOnce.pipe(
      withStore(({ tasks }) => ({
        tasks: {
          ...tasks,
          settle: (settlement) =>
            Effect.flatMap(
              Ref.updateAndGet(tries, (count) => count + 1),
              (count) => Effect.zipRight(meanwhile(count), tasks.settle(settlement))
            )
        }
      }))
    )
    return { tries: Ref.get(tries), program }
  })

it.effect("what an attempt came to is recorded once the store can be written again", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const { program } = yield* endMeets((tries) => (tries < 5 ? unwritable : Effect.void))
    const cycle = yield* whileTimePasses(yield* Effect.fork(program))
    expect(cycle).toMatchObject({ _tag: "Ran", attempted: { verdict: { _tag: "Completed" } } })
    expect(yield* taskOf(id)).toMatchObject({ status: "completed", attemptCount: 1 })
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("a cycle that is told to end does not go on waiting for a store that cannot be written", () =>
  Effect.gen(function* () {
    yield* queue()
    const waits = yield* Deferred.make<void>()
    const { program, tries } = yield* endMeets(() =>
      Effect.zipRight(Deferred.succeed(waits, undefined), unwritable)
    )
    const cycle = yield* Effect.fork(program)
    yield* Deferred.await(waits)
    yield* whileTimePasses(yield* Effect.fork(Fiber.interrupt(cycle)))
    expect(yield* tries).toBe(2)
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("a store that fails at the end leaves the attempt for the sweep of the next cycle", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const { program } = yield* endMeets(() => unwritable)
    const failed = yield* Effect.flip(yield* Effect.map(Effect.fork(program), whileTimePasses))
    const [attempt] = yield* attemptsOf(id)
    expect(failed).toMatchObject({
      _tag: "StoreUnavailable",
      reason: `the disk is full; attempt ${attempt?.attemptId} of task ${id} has ended and that is not on record (completed: hello)`
    })
    expect((yield* taskOf(id)).status).toBe("running")
    // The next process is another runner.
    const next = runnerOf(RunnerId.make("memory:2:later"), 2)
    const cycle = yield* Effect.provideService(runOnce, Runner, next)
    expect(cycle._tag).toBe("Ran")
    expect((yield* taskOf(id)).status).toBe("completed")
    expect((yield* attemptsOf(id)).map((attempt) => Option.getOrNull(attempt.reason))).toEqual([
      "boot_sweep",
      "completed: hello"
    ])
    expect((yield* taskOf(id)).attemptCount).toBe(2)
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("a damaged row is set aside with an event, and the next task runs in the same cycle", () =>
  Effect.gen(function* () {
    const bad = yield* queue({ priority: 9 })
    const good = yield* queue()
    const sqlite = yield* Sqlite
    const damage = { text: "UPDATE tasks SET payload_json = 'nonsense' WHERE task_id = ?1", names: ["id"] }
    yield* sqlite.transact("test", sqlite.rows(damage, { id: bad }))
    const attempted = yield* ran
    expect(attempted.taskId).toBe(good)
    expect((yield* taskOf(bad)).status).toBe("blocked")
    expect(yield* typesOf(bad)).toContain("record_quarantined")
    expect((yield* taskOf(good)).status).toBe("completed")
  }).pipe(Effect.provide(world(quiet)))
)

describe("retries", () => {
  it.effect("wait as the back-off says and block the task when its attempts are used up", () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 2 })
      yield* ran
      const task = yield* taskOf(id)
      expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 1])
      const wait = DateTime.toEpochMillis(task.availableAt)
      expect(wait).toBeGreaterThanOrEqual(48_000)
      expect(wait).toBeLessThanOrEqual(72_000)
      yield* TestClock.adjust(wait - 1)
      expect((yield* runOnce)._tag).toBe("Idle")
      yield* TestClock.adjust(1)
      yield* ran
      expect((yield* taskOf(id)).status).toBe("blocked")
      expect(Option.getOrThrow((yield* taskOf(id)).lastError)).toStartWith("attempts_used_up: 2 of 2")
      yield* TestClock.adjust("10 days")
      expect((yield* runOnce)._tag).toBe("Idle")
    }).pipe(Effect.provide(world({ adapters: { local: yields(failing) } })))
  )

  it.effect("of an adapter with a number of attempts of its own end at that, where the task names none", () =>
    Effect.gen(function* () {
      const retry = {
        maxAttempts: Option.some(1),
        backoffSeconds: Option.none(),
        maxBackoffSeconds: Option.none()
      }
      const story = Effect.gen(function* () {
        const [plain, named] = [yield* queue({ priority: 9 }), yield* queue({ maxAttempts: 2 })]
        yield* ran
        expect((yield* taskOf(plain)).status).toBe("blocked")
        yield* ran
        expect((yield* taskOf(named)).status).toBe("retryable_failure")
      })
      yield* Effect.provide(
        story,
        world({ adapters: { local: yields(failing) }, configured: [scriptSettings("local", { retry })] })
      )
    })
  )

  it.effect("by an operator begin a new round at 0, with the history kept", () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 1 })
      yield* ran
      const store = yield* Store
      yield* store.tasks.retry(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      const again = yield* taskOf(id)
      expect([again.status, again.attemptCount]).toEqual(["pending", 0])
      yield* ran
      expect((yield* attemptsOf(id)).map((attempt) => attempt.number)).toEqual([1, 2])
      expect((yield* taskOf(id)).attemptCount).toBe(1)
    }).pipe(Effect.provide(world({ adapters: { local: yields(failing) } })))
  )
})

describe("a rate limit", () => {
  const limited = { ...failing, retryAfterSeconds: Option.some(100) }

  it.effect("is not counted, and cools its adapter down for its other tasks and for no other adapter's", () =>
    Effect.gen(function* () {
      const first = yield* queue()
      const second = yield* queue()
      const other = yield* queue({ requestedAdapter: "other" })
      yield* ran
      const task = yield* taskOf(first)
      expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 0])
      expect(DateTime.toEpochMillis(task.availableAt)).toBe(100_000)
      expect(yield* detailsOf(first, "rate_limit_rescheduled")).toMatchObject([
        { available_at: "1970-01-01T00:01:40.000Z", counted: false }
      ])
      expect(yield* history).toContain("adapter_cooldown")
      expect((yield* ran).taskId).toBe(other)
      expect((yield* runOnce)._tag).toBe("Idle")
      expect((yield* taskOf(second)).status).toBe("pending")
      yield* TestClock.adjust("100 seconds")
      expect((yield* ran).taskId).toBe(first)
    }).pipe(Effect.provide(world({ adapters: { local: yields(limited), other: says("fine") } })))
  )

  it.effect("that asks for no waiting takes the attempt back all the same, which is due in a second", () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 1 })
      for (let turn = 1; turn <= 20; turn++) {
        yield* ran
        const task = yield* taskOf(id)
        expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 0])
        expect((yield* runOnce)._tag).toBe("Idle")
        yield* TestClock.adjust("1 second")
      }
      yield* ran
      expect((yield* taskOf(id)).status).toBe("blocked")
    }).pipe(
      Effect.provide(
        world({ adapters: { local: yields({ ...limited, retryAfterSeconds: Option.some(0) }) } })
      )
    )
  )

  it.effect("is taken back at most 20 times a round; the next one counts, and a retry begins anew", () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 1 })
      for (let turn = 1; turn <= 20; turn++) {
        yield* ran
        const task = yield* taskOf(id)
        expect([turn, task.status, task.attemptCount]).toEqual([turn, "retryable_failure", 0])
        yield* TestClock.adjust("100 seconds")
      }
      yield* ran
      expect((yield* taskOf(id)).status).toBe("blocked")
      expect(Option.getOrThrow((yield* taskOf(id)).lastError)).toContain("rate_limited")
      const store = yield* Store
      yield* store.tasks.retry(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      yield* ran
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world({ adapters: { local: yields(limited) } })))
  )
})
