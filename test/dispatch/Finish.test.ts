import { describe, expect } from "bun:test"
import { Deferred, Effect, Option } from "effect"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import { now } from "../../src/domain/Time.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { once } from "../../src/operate/Cycle.ts"
import { Store } from "../../src/store/Store.ts"
import type { Move } from "../../src/store/Tasks.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"
import { unwritable, whileTimePasses, withStore } from "./resident.ts"
import {
  answer,
  attemptsOf,
  DOOR,
  eventsOf,
  failing,
  history,
  queue,
  ran,
  taskOf,
  typesOf,
  world,
  yields
} from "./world.ts"

/** A runtime whose adapter does something with the store before it answers. */
const meddling = (
  meddle: (job: Job) => Effect.Effect<unknown, unknown, Store>,
  execution: Partial<Execution>,
  body: Effect.Effect<unknown, unknown, Effect.Effect.Context<typeof ran> | Store>
) =>
  Effect.gen(function* () {
    const acts = yield* Deferred.make<(job: Job) => Effect.Effect<unknown>>()
    const adapter = (job: Job) =>
      Effect.as(
        Effect.flatMap(Deferred.await(acts), (act) => act(job)),
        execution
      )
    const story = Effect.gen(function* () {
      const context = yield* Effect.context<Store>()
      yield* Deferred.succeed(acts, (job) => Effect.orDie(Effect.provide(meddle(job), context)))
      yield* body
    })
    const profiles = new Map([["lumen", profile({ result_schema: { allow_follow_up_tasks: true } })]])
    yield* Effect.provide(story, world({ adapters: { local: adapter }, settings: { profiles } }))
  })

const settleElsewhere = (move: Move) => (job: Job) =>
  Effect.gen(function* () {
    const store = yield* Store
    const end = {
      exitStatus: Option.none(),
      retryClass: Option.none(),
      reason: "ended elsewhere",
      issues: [],
      usage: unknownUsage
    }
    const stamp = { at: yield* now, actor: DOOR.actor }
    yield* store.tasks.settle({ attemptId: job.attemptId, end, move, stamp })
  })

describe("a result that comes after its attempt was ended", () => {
  it.effect("moves nothing, makes nothing and is an event", () =>
    meddling(
      settleElsewhere({ _tag: "PutBack", counted: true, error: "swept" }),
      { ...answer({ follow_up_tasks: [{ kind: "more", payload: {} }] }), retryAfterSeconds: Option.some(60) },
      Effect.gen(function* () {
        const id = yield* queue()
        const { settled } = yield* ran
        expect(settled._tag).toBe("Late")
        expect((yield* taskOf(id)).status).toBe("retryable_failure")
        expect((yield* attemptsOf(id)).map((one) => Option.getOrNull(one.reason))).toEqual([
          "ended elsewhere"
        ])
        expect((yield* typesOf(id)).at(-1)).toBe("late_result_ignored")
        expect(yield* history).not.toContain("follow_up_created")
        expect(yield* history).not.toContain("adapter_cooldown")
      })
    )
  )

  it.effect("is what the cycle reports", () =>
    meddling(
      settleElsewhere({ _tag: "Cancel", reason: "gone" }),
      answer(),
      Effect.gen(function* () {
        yield* queue()
        expect(yield* once.run({}, DOOR.actor)).toMatchObject({ ok: true, status: "late_result_ignored" })
      })
    )
  )
})

it.effect(
  "an end is recorded whatever an adapter says that it used: no count is not told, and an issue says so",
  () =>
    Effect.gen(function* () {
      const id = yield* queue()
      expect((yield* ran).settled._tag).toBe("Settled")
      expect((yield* taskOf(id)).status).toBe("completed")
      const [attempt] = yield* attemptsOf(id)
      expect(attempt!.usage).toEqual({ ...unknownUsage, outputTokens: Option.some(3) })
      expect(attempt!.issues).toEqual([
        expect.stringMatching(/^usage_unreadable: input_tokens 10000000000000000000 is not a whole number/),
        expect.stringMatching(/^usage_unreadable: cached_tokens 1.5 is not a whole number/),
        expect.stringMatching(/^usage_unreadable: cost_usd 1e\+300 is not an amount/)
      ])
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: () =>
              Effect.succeed({
                ...answer(),
                usage: {
                  inputTokens: Option.some(1e19),
                  outputTokens: Option.some(3),
                  cachedTokens: Option.some(1.5),
                  costUsd: Option.some(1e300)
                }
              })
          }
        })
      )
    )
)

it.effect(
  "a rate limit tells in the history which adapter cools down, until when, why, and which attempt hit it",
  () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const told = (yield* eventsOf(id)).filter((event) => event.eventType === "adapter_cooldown")
      expect(told.map(({ attemptId, detail, taskId }) => ({ attemptId, detail, taskId }))).toEqual([
        {
          taskId: Option.some(id),
          attemptId: Option.some((yield* attemptsOf(id))[0]!.attemptId),
          detail: {
            adapter_id: "local",
            until: "1970-01-01T00:01:00.000Z",
            reason: expect.stringContaining("exit code 7: boom")
          }
        }
      ])
    }).pipe(
      Effect.provide(
        world({ adapters: { local: yields({ ...failing, retryAfterSeconds: Option.some(60) }) } })
      )
    )
)

it.effect("a fault while an attempt is ended blocks the task instead of leaving it to run", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const store = yield* Store
    const broken = { ...store, tasks: { ...store.tasks, children: () => Effect.dieMessage("it broke") } }
    yield* Effect.provideService(ran, Store, broken)
    const task = yield* taskOf(id)
    expect(task.status).toBe("blocked")
    expect(Option.getOrThrow(task.lastError)).toContain("internal_fault")
    expect(yield* typesOf(id)).not.toContain("follow_up_created")
  }).pipe(
    Effect.provide(
      world({
        adapters: { local: yields(answer({ follow_up_tasks: [{ kind: "more", payload: {} }] })) },
        settings: {
          profiles: new Map([["lumen", profile({ result_schema: { allow_follow_up_tasks: true } })]])
        }
      })
    )
  )
)

it.effect(
  "what follows from an end is one transaction with it: when a part fails nothing of it is kept",
  () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const full = ran.pipe(withStore(({ gates }) => ({ gates: { ...gates, coolDown: () => unwritable } })))
      const failed = yield* Effect.flip(yield* Effect.map(Effect.fork(full), whileTimePasses))
      expect(failed).toMatchObject({ _tag: "StoreUnavailable" })
      expect((yield* taskOf(id)).status).toBe("running")
      expect((yield* attemptsOf(id))[0]?.status).toBe("running")
      expect(yield* typesOf(id)).not.toContain("task_attempt_finished")
    }).pipe(
      Effect.provide(
        world({ adapters: { local: yields({ ...failing, retryAfterSeconds: Option.some(60) }) } })
      )
    )
)
