import { describe, expect } from "bun:test"
import { Effect, Layer, Option, Schema, TestClock, TestContext } from "effect"
import { Invalid } from "../../src/config/Issues.ts"
import { SensorReport } from "../../src/domain/SensorEvent.ts"
import { WORKFLOW_STATUSES } from "../../src/domain/WorkflowStatuses.ts"
import { ingest, readReport } from "../../src/intake/Sensor.ts"
import { openNow } from "../../src/intake/Workflow.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, eventsOf, history, queue, says, taskOf, world } from "../dispatch/world.ts"
import { badCases } from "../support/badCases.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const plain = {
  sensor_id: "pump",
  event_id: "1",
  source_ref: "pump://1",
  dedupe_key: "pump:1",
  payload: { level: 3 }
}
const task = { kind: "note", source: "pump", subject: "Look at the pump", payload: { level: 3 } }
const wiki = { template: "community-research", instance_key: "wiki" }

const send = (changes: Record<string, unknown> = {}) =>
  Effect.flatMap(readReport({ ...plain, ...changes }), ingest)

const FIRST = { limit: 500, after: Option.none<string>() }

const counts = Effect.gen(function* () {
  const store = yield* Store
  return {
    tasks: (yield* store.tasks.counts).pending,
    workflows: Option.getOrThrow(yield* store.workflows.list({ status: WORKFLOW_STATUSES, ...FIRST }))
      .workflows.length,
    events: Option.getOrThrow(yield* store.sensors.list(FIRST)).events.length
  }
})

/** What a refused event is told; nothing may have been kept of it. */
const refused = (changes: Record<string, unknown>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(send(changes))
    expect(yield* history).toEqual([])
    expect(yield* counts).toEqual({ tasks: 0, workflows: 0, events: 0 })
    return error instanceof Invalid ? error.message : error._tag
  })

describe("an observation", () => {
  it.effect("is recorded alone where it proposes nothing, as seen now where it says no time", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      const { accepted, event } = yield* send()
      expect(accepted).toBe(true)
      expect(event).toMatchObject({
        sensorId: "pump",
        stale: false,
        taskId: Option.none(),
        workflowId: Option.none(),
        observedAt: event.createdAt
      })
      expect(event.createdAt.epochMillis).toBe(60_000)
      expect(yield* history).toEqual(["sensor_event_recorded"])
      const dated = yield* send({ dedupe_key: "2", event_id: "2", observed_at: "1970-01-01T00:00:30+00:00" })
      expect(dated.event.observedAt.epochMillis).toBe(30_000)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("makes the task and the workflow that it proposes, untrusted, in the sensor's name", () =>
    Effect.gen(function* () {
      const { event } = yield* send({ proposed_task: task, proposed_workflow: wiki })
      const made = yield* taskOf(Option.getOrThrow(event.taskId))
      expect(made).toMatchObject({ kind: "note", source: "pump", untrusted: true })
      expect((yield* eventsOf(made.taskId))[0]?.actor).toEqual({ surface: "sensor", name: "pump" })
      const store = yield* Store
      const row = Option.getOrThrow(yield* store.workflows.findByKey("wiki"))
      expect(row).toMatchObject({ untrusted: true, workflow: { id: Option.getOrThrow(event.workflowId) } })
      const first = yield* store.workflows.unfinishedTask(row.workflow.id, row.workflow.currentState)
      expect((yield* taskOf(Option.getOrThrow(first))).untrusted).toBe(true)
      expect(yield* history).toEqual([
        "sensor_event_recorded",
        "task_enqueued",
        "sensor_task_created",
        "workflow_created",
        "task_enqueued",
        "workflow_task_created",
        "sensor_workflow_created"
      ])
      expect(Option.getOrThrow(yield* store.sensors.list(FIRST)).events[0]).toEqual(event)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("makes nothing a second time, by its key and by its sensor's id, and answers the first", () =>
    Effect.gen(function* () {
      const first = yield* send({ proposed_task: task, proposed_workflow: wiki })
      for (const changes of [{}, { event_id: "2" }, { dedupe_key: "other" }])
        expect(yield* send({ proposed_task: task, proposed_workflow: wiki, ...changes })).toEqual({
          accepted: false,
          event: first.event
        })
      expect(yield* counts).toEqual({ tasks: 2, workflows: 1, events: 1 })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is a repeat whatever has become of the template that it names", () =>
    Effect.gen(function* () {
      yield* send()
      expect(yield* send({ proposed_workflow: { ...wiki, template: "gone" } })).toMatchObject({
        accepted: false
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("that comes after its deadline is recorded, uses up its key and makes nothing", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      const late = {
        freshness_deadline: "1970-01-01T00:00:09.999Z",
        proposed_task: task,
        proposed_workflow: wiki
      }
      expect(yield* send(late)).toMatchObject({
        accepted: true,
        event: { stale: true, taskId: Option.none() }
      })
      expect(yield* send({ proposed_task: task })).toMatchObject({ accepted: false, event: { stale: true } })
      expect(yield* counts).toEqual({ tasks: 0, workflows: 0, events: 1 })
      expect(yield* history).toEqual(["sensor_event_recorded", "sensor_event_stale", "sensor_event_deduped"])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is fresh until its deadline has passed", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      const sent = yield* send({ freshness_deadline: "1970-01-01T00:00:10Z", proposed_task: task })
      expect(sent).toMatchObject({ accepted: true, event: { stale: false } })
      expect(Option.isSome(sent.event.taskId)).toBe(true)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("answers the unfinished task that holds the dedupe_key of the one it proposes", () =>
    Effect.gen(function* () {
      const holder = yield* queue({ dedupeKey: "pump" })
      const { event } = yield* send({ proposed_task: { ...task, dedupe_key: "pump" } })
      expect(event.taskId).toEqual(Option.some(holder))
      expect(yield* counts).toMatchObject({ tasks: 1, events: 1 })
      expect(yield* history).toEqual(["task_enqueued", "sensor_event_recorded", "task_deduped"])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("reuses the workflow that has the key, whatever state and context it proposes for it", () =>
    Effect.gen(function* () {
      const opening = {
        template: "community-research",
        instanceKey: "wiki",
        state: Option.none(),
        context: {}
      }
      const { workflow } = yield* openNow(opening, DOOR.actor)
      for (const [at, proposal] of [wiki, { ...wiki, state: "nowhere" }].entries()) {
        const sent = yield* send({ event_id: `${at}`, dedupe_key: `${at}`, proposed_workflow: proposal })
        expect(sent.event.workflowId).toEqual(Option.some(workflow.id))
      }
      expect(yield* counts).toMatchObject({ tasks: 1, workflows: 1, events: 2 })
      expect((yield* history).filter((type) => type === "sensor_workflow_deduped")).toHaveLength(2)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused as a whole when its template is unknown, also when it comes late", () =>
    Effect.gen(function* () {
      const proposed = { proposed_task: task, proposed_workflow: { ...wiki, template: "community-reserch" } }
      for (const deadline of [{}, { freshness_deadline: "1969-01-01T00:00:00Z" }]) {
        const told = yield* refused({ ...proposed, ...deadline })
        expect(told).toContain('proposed_workflow.template: found "community-reserch"')
        expect(told).toContain("community-research")
      }
      expect(yield* send({ proposed_task: task, proposed_workflow: wiki })).toMatchObject({ accepted: true })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused as a whole when its workflow cannot be opened so", () =>
    Effect.gen(function* () {
      expect(
        yield* refused({ proposed_task: task, proposed_workflow: { ...wiki, state: "nowhere" } })
      ).toContain('proposed_workflow.state: found "nowhere"')
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused with every problem by its path", () =>
    Effect.gen(function* () {
      const told = yield* refused({
        sensor_id: " ",
        observed_at: "soon",
        proposed_task: { source: "s", payload: {}, priority: 101, prority: 1 },
        proposed_workflow: { instance_key: "k" }
      })
      for (const words of [
        "sensor_id: found",
        'observed_at: found "soon"',
        "proposed_task.kind is missing",
        "proposed_task.priority: found 101",
        "proposed_task.prority is not a known key; did you mean `priority`?",
        "proposed_workflow.template is missing"
      ])
        expect(told).toContain(words)
      const due = { available_at: "2026-01-01T00:00:00Z", schedule: { delay_minutes: 1 } }
      expect(yield* refused({ proposed_task: { ...task, ...due } })).toContain("proposed_task.schedule")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused when a part of it is larger than a request may be", () =>
    Effect.gen(function* () {
      const large = { text: "x".repeat(1_048_576 - '{"text":""}'.length + 1) }
      for (const [path, changes] of [
        ["payload", { payload: large }],
        ["proposed_task.payload", { proposed_task: { ...task, payload: large } }],
        ["proposed_workflow.context", { proposed_workflow: { ...wiki, context: large } }]
      ] as const)
        expect(yield* refused(changes)).toStartWith(`${path}: it is 1,048,577 characters of JSON`)
      expect(yield* send({ payload: { text: large.text.slice(1) } })).toMatchObject({ accepted: true })
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("observations in any order, as often as they come", () => {
  const Sent = Schema.Array(Schema.Struct({ key: Schema.Int.pipe(Schema.between(0, 3)), by: Schema.Boolean }))

  it.prop(
    "make one task and one workflow for each key",
    Sent,
    (sent) =>
      Effect.gen(function* () {
        const accepted: Array<number> = []
        for (const { by, key } of sent) {
          // A repeat has one of the two keys in common with the first, or both.
          const other = by
            ? { dedupe_key: `again ${accepted.length}` }
            : { event_id: `again ${accepted.length}` }
          const keys = { dedupe_key: `key ${key}`, event_id: `event ${key}` }
          const proposed = {
            proposed_task: task,
            proposed_workflow: { ...wiki, instance_key: `wiki ${key}` }
          }
          const again = accepted.includes(key) ? other : {}
          if ((yield* send({ ...keys, ...again, ...proposed })).accepted) accepted.push(key)
        }
        const distinct = new Set(sent.map(({ key }) => key)).size
        expect(accepted).toHaveLength(distinct)
        expect(yield* counts).toEqual({ tasks: 2 * distinct, workflows: distinct, events: distinct })
      }).pipe(Effect.provide(Layer.merge(world(quiet), TestContext.TestContext))),
    { numRuns: 20 }
  )

  it.effect("that come at once make one task", () =>
    Effect.gen(function* () {
      const all = yield* Effect.all(
        Array.from({ length: 20 }, () => send({ proposed_task: task })),
        { concurrency: "unbounded" }
      )
      expect(all.filter((one) => one.accepted)).toHaveLength(1)
      expect(yield* counts).toEqual({ tasks: 1, workflows: 0, events: 1 })
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("the document of an observation", () => {
  it.effect("is read as it was written", () =>
    Effect.gen(function* () {
      const given = {
        ...plain,
        proposed_task: task,
        proposed_workflow: { ...wiki, state: "s", context: { a: 1 } }
      }
      const report = yield* readReport(given)
      expect(yield* Schema.encode(SensorReport)(report)).toEqual(given)
    })
  )

  const full = {
    ...plain,
    observed_at: "2026-04-29T07:00:00.000Z",
    freshness_deadline: "2026-04-29T08:00:00.000Z",
    proposed_task: { ...task, priority: 7, dedupe_key: "pump" },
    proposed_workflow: { ...wiki, state: "discover-aibtc-basics", context: { topic: "pumps" } }
  }

  for (const bad of badCases(SensorReport, full))
    it.effect(`is refused with ${bad.name}, by its path`, () =>
      Effect.gen(function* () {
        expect((yield* Effect.flip(readReport(bad.input))).message).toContain(bad.path)
      })
    )
})
