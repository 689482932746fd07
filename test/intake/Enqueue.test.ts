import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, Schema, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { Intent } from "../../src/domain/Task.ts"
import { enqueue, readIntent } from "../../src/intake/Enqueue.ts"
import { DOOR, queue, ran, says, taskOf, typesOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const quiet = { adapters: { local: says("hello") } }

const plain = { kind: "note", source: "test", payload: {} }

const problemsOf = (input: unknown) =>
  Effect.map(Effect.flip(readIntent(input)), ({ problems }) => problems.map(({ path }) => path))

describe("an intent", () => {
  it.effect("with every field becomes a task with every field", () =>
    Effect.gen(function* () {
      const intent = yield* readIntent({
        kind: "story",
        source: "a bridge: with any text",
        payload: { deep: [{ x: null }] },
        subject: "A subject",
        description: "A description",
        priority: 100,
        requested_profile: "lumen",
        requested_adapter: "local",
        requested_model: "m-1",
        max_attempts: 7,
        available_at: "2030-01-01T01:00:00+01:00",
        dedupe_key: "k"
      })
      const { created, task } = yield* enqueue(intent, DOOR)
      expect(created).toBe(true)
      expect(yield* taskOf(task.taskId)).toMatchObject({
        kind: "story",
        source: "a bridge: with any text",
        payload: { deep: [{ x: null }] },
        subject: Option.some("A subject"),
        description: Option.some("A description"),
        priority: 100,
        requestedProfile: Option.some("lumen"),
        requestedAdapter: Option.some("local"),
        requestedModel: Option.some("m-1"),
        maxAttempts: 7,
        dedupeKey: Option.some("k"),
        status: "pending",
        attemptCount: 0,
        untrusted: false
      })
      expect(DateTime.formatIso(task.availableAt)).toBe("2030-01-01T00:00:00.000Z")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("that says no more than it must gets the defaults and is due at once", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hours")
      const task = yield* taskOf(yield* queue())
      expect(task).toMatchObject({ priority: 5, maxAttempts: 3, subject: Option.none() })
      expect(DateTime.toEpochMillis(task.availableAt)).toBe(3_600_000)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("with a delay is due so many minutes from now, parts of them too", () =>
    Effect.gen(function* () {
      const intent = yield* readIntent({ ...plain, schedule: { delay_minutes: 1.5 } })
      const { task } = yield* enqueue(intent, DOOR)
      expect(DateTime.toEpochMillis(task.availableAt)).toBe(90_000)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("that is wrong is told with everything that is wrong with it", () =>
    Effect.gen(function* () {
      expect(yield* problemsOf({})).toEqual(["kind", "source", "payload"])
      expect(yield* problemsOf({ ...plain, payload: [] })).toEqual(["payload"])
      expect(yield* problemsOf({ ...plain, source: "x".repeat(201) })).toEqual(["source"])
      expect(yield* problemsOf({ ...plain, priority: 101, max_attempts: 0, subjekt: "x" })).toEqual([
        "subjekt",
        "priority",
        "max_attempts"
      ])
      for (const unseen of [" ", "\u200b", "\u2060\u00ad", "\u3164", "\u2800"])
        expect(yield* problemsOf({ ...plain, kind: unseen, subject: unseen })).toEqual(["kind", "subject"])
      expect((yield* readIntent({ ...plain, subject: "👩\u200d👧 e\u0301" })).subject).toBe(
        "👩\u200d👧 e\u0301"
      )
      expect(yield* problemsOf({ ...plain, schedule: { delay_minutes: -1 } })).toEqual([
        "schedule.delay_minutes"
      ])
      expect(yield* problemsOf({ ...plain, available_at: "tomorrow" })).toEqual(["available_at"])
      const both = { available_at: "2030-01-01T00:00:00Z", schedule: { delay_minutes: 1 } }
      expect(yield* problemsOf({ ...plain, ...both })).toEqual(["schedule"])
    })
  )

  it.prop("of any shape that decodes is stored and read back as it was", Intent, (intent) =>
    Effect.gen(function* () {
      const { task } = yield* enqueue(intent, DOOR)
      const stored = yield* taskOf(task.taskId)
      expect(stored.payload).toEqual(JSON.parse(JSON.stringify(intent.payload)))
      expect([stored.kind, stored.source]).toEqual([intent.kind, intent.source])
      expect(Option.getOrUndefined(stored.subject)).toBe(intent.subject as never)
      expect(stored.priority).toBe(intent.priority ?? 5)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.prop("of any other shape is refused, never a fault", Schema.Unknown, (input) =>
    Effect.gen(function* () {
      const read = yield* Effect.either(readIntent(input))
      expect(["Left", "Right"]).toContain(read._tag)
    })
  )
})

describe("a dedupe key", () => {
  it.effect("answers the unfinished task that holds it, and is free again once that is finished", () =>
    Effect.gen(function* () {
      const first = yield* enqueue({ ...plain, dedupeKey: "k" }, DOOR)
      const second = yield* enqueue({ ...plain, dedupeKey: "k", subject: "other" }, DOOR)
      expect([first.created, second.created]).toEqual([true, false])
      expect(second.task.taskId).toBe(first.task.taskId)
      expect(yield* typesOf(first.task.taskId)).toEqual(["task_enqueued", "task_deduped"])
      yield* ran
      expect((yield* enqueue({ ...plain, dedupeKey: "k" }, DOOR)).created).toBe(true)
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("the number of attempts is", () => {
  const retry = (most: number) => ({
    maxAttempts: Option.some(most),
    backoffSeconds: Option.none(),
    maxBackoffSeconds: Option.none()
  })
  it.effect("the intent's, else that of the adapter that it is meant for, else the configuration's", () =>
    Effect.gen(function* () {
      const most = (intent: Parameters<typeof queue>[0]) =>
        Effect.flatMap(queue(intent), (id) => Effect.map(taskOf(id), (task) => task.maxAttempts))
      expect(yield* most({})).toBe(3)
      expect(yield* most({ requestedAdapter: "eager" })).toBe(9)
      expect(yield* most({ requestedProfile: "shy" })).toBe(1)
      expect(yield* most({ requestedAdapter: "eager", maxAttempts: 2 })).toBe(2)
      expect(yield* most({ requestedAdapter: "not there" })).toBe(3)
    }).pipe(
      Effect.provide(
        world({
          ...quiet,
          configured: [
            scriptSettings("eager", { retry: retry(9) }),
            scriptSettings("once", { retry: retry(1) })
          ],
          settings: {
            profiles: new Map([
              ["lumen", profile()],
              ["shy", profile({ profile_id: "shy", default_adapter: "once" })]
            ])
          }
        })
      )
    )
  )
})
