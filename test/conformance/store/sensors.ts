import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { WorkflowId } from "../../../src/domain/Ids.ts"
import { cursorOf } from "../../../src/store/Cursor.ts"
import type { NewSensorEvent } from "../../../src/store/Sensors.ts"
import { Store } from "../../../src/store/Store.ts"
import { at, newest, Raw, stampAt, taskId, text } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const observed = (name: string, changes: Partial<NewSensorEvent> = {}): NewSensorEvent => ({
  sensorEventId: `id-${name}`,
  sensorId: "pump",
  eventId: `event-${name}`,
  sourceRef: "pump://1",
  dedupeKey: `key-${name}`,
  payload: { name },
  observedAt: at(-5),
  freshnessDeadline: Option.none(),
  stale: false,
  ...changes
})

const record = (name: string, changes: Partial<NewSensorEvent> = {}, seconds = 0) =>
  Effect.flatMap(Store, ({ sensors }) => sensors.record(observed(name, changes), stampAt(seconds)))

const pageOf = (limit: number, after = Option.none<string>()) =>
  Effect.flatMap(Store, ({ sensors }) => sensors.list({ limit, after }))
const list = (limit = 9) => Effect.map(pageOf(limit), (page) => Option.getOrThrow(page).events)

/** What sensors have observed. */
export const sensors = (check: Sentence) => {
  check(
    "records an observation once and reads it back as it was",
    Effect.gen(function* () {
      const odd = { text: "'\"; -- ü\n", deep: [{ n: 1.5 }], none: null }
      const made = yield* record("a", { payload: odd, freshnessDeadline: Option.some(at(60)) }, 1)
      expect(made).toMatchObject({
        recorded: true,
        event: { sensorEventId: "id-a", payload: odd, stale: false, taskId: Option.none() }
      })
      const { createdAt, freshnessDeadline, observedAt } = made.event
      expect([observedAt, freshnessDeadline, createdAt].map(text)).toEqual([at(-5), at(60), at(1)].map(text))
      expect(yield* list()).toEqual([made.event])
      expect((yield* newest(9)).map((one) => [one.eventType, one.detail])).toEqual([
        [
          "sensor_event_recorded",
          { sensor_event_id: "id-a", sensor_id: "pump", event_id: "event-a", dedupe_key: "key-a" }
        ]
      ])
    })
  )

  check(
    "answers the first event to a repeat of either key, and records nothing",
    Effect.gen(function* () {
      const first = yield* record("a")
      const second = yield* record("b")
      const ofKey = yield* record("c", { dedupeKey: "key-a" }, 1)
      const ofEvent = yield* record("d", { eventId: "event-a" }, 1)
      const ofBoth = yield* record("e", { eventId: "event-a", dedupeKey: "key-b" }, 1)
      expect([ofKey, ofEvent]).toEqual([1, 2].map(() => ({ recorded: false, event: first.event })))
      expect(ofBoth).toEqual({ recorded: false, event: second.event })
      expect((yield* record("f", { sensorId: "valve", eventId: "event-a" })).recorded).toBe(true)
      expect((yield* list()).map((one) => one.sensorEventId)).toEqual(["id-f", "id-b", "id-a"])
      const told = (yield* newest(9)).filter((one) => one.eventType === "sensor_event_deduped")
      expect(
        told.map((one) => [one.detail.sensor_event_id, one.detail.event_id, one.detail.dedupe_key])
      ).toEqual([
        ["id-a", "event-c", "key-a"],
        ["id-a", "event-a", "key-d"],
        ["id-b", "event-a", "key-b"]
      ])
    })
  )

  check(
    "tells of an event that came too late, whose keys are used up all the same",
    Effect.gen(function* () {
      const late = yield* record("a", { stale: true, freshnessDeadline: Option.some(at(-1)) })
      expect(late).toMatchObject({ recorded: true, event: { stale: true } })
      expect((yield* record("b", { dedupeKey: "key-a" })).recorded).toBe(false)
      const events = yield* newest(9)
      expect(events.map((one) => one.eventType)).toEqual([
        "sensor_event_recorded",
        "sensor_event_stale",
        "sensor_event_deduped"
      ])
      expect(events[1]?.detail.freshness_deadline).toBe(text(at(-1)))
    })
  )

  check(
    "keeps what an event led to, and tells what it made",
    Effect.gen(function* () {
      const { sensors } = yield* Store
      yield* record("a")
      yield* sensors.ledToTask("id-a", { taskId: taskId("t"), created: true }, stampAt(1))
      const workflowId = WorkflowId.make(7)
      yield* sensors.ledToWorkflow("id-a", { workflowId, instanceKey: "k", created: true }, stampAt(1))
      yield* record("b", {}, 1)
      yield* sensors.ledToTask("id-b", { taskId: taskId("t"), created: false }, stampAt(2))
      yield* sensors.ledToWorkflow("id-b", { workflowId, instanceKey: "k", created: false }, stampAt(2))
      for (const one of yield* list())
        expect(one).toMatchObject({ taskId: Option.some("t"), workflowId: Option.some(7) })
      expect((yield* newest(9)).map((one) => [one.eventType, one.detail.sensor_event_id])).toEqual([
        ["sensor_event_recorded", "id-a"],
        ["sensor_task_created", "id-a"],
        ["sensor_workflow_created", "id-a"],
        ["sensor_event_recorded", "id-b"],
        ["sensor_workflow_deduped", "id-b"]
      ])
    })
  )

  check(
    "lists the newest first, no more than was asked for, a long payload by its length",
    Effect.gen(function* () {
      yield* record("a", {}, 1)
      yield* record("b", { payload: { text: "x".repeat(65_536) } }, 3)
      yield* record("c", {}, 2)
      const found = yield* list(2)
      expect(found.map((one) => one.sensorEventId)).toEqual(["id-b", "id-c"])
      expect(found[0]?.payload).toEqual({ shortened: true, characters: 65_536 + '{"text":""}'.length })
    })
  )

  check(
    "is paged by cursors, events of one time among them, and takes no cursor that it did not give",
    Effect.gen(function* () {
      const raw = yield* Raw
      for (const [name, second] of [
        ["a", 1],
        ["b", 2],
        ["c", 2],
        ["d", 2],
        ["e", 3]
      ] as const)
        yield* record(name, {}, second)
      const first = Option.getOrThrow(yield* pageOf(2))
      const second = Option.getOrThrow(yield* pageOf(2, first.next))
      yield* record("f", {}, 4)
      const third = Option.getOrThrow(yield* pageOf(2, second.next))
      const names = [first, second, third].map(({ events }) => events.map((one) => one.sensorEventId))
      expect(names).toEqual([["id-e", "id-d"], ["id-c", "id-b"], ["id-a"]])
      expect(third.next).toEqual(Option.none())
      const place = ["sensor_events", "2026-04-29T07:00:02.000Z", "id-c"]
      for (const cursor of [
        "",
        "x",
        cursorOf(["outbox", "id-a"]),
        cursorOf(place.slice(1)),
        cursorOf(["sensor_events", "soon", "id-a"])
      ])
        expect([cursor, yield* pageOf(2, Option.some(cursor))]).toEqual([cursor, Option.none()])
      expect(
        Option.map(yield* pageOf(9, Option.some(cursorOf(place))), ({ events }) => events.length)
      ).toEqual(Option.some(2))
      yield* raw.run("UPDATE sensor_events SET sensor_event_id = 'gone' WHERE sensor_event_id = 'id-c'")
      expect(yield* pageOf(9, Option.some(cursorOf(place)))).toEqual(Option.none())
    })
  )

  check(
    "shows a row that another program has damaged, with what is wrong, and answers it to a repeat",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* record("a")
      yield* raw.run("UPDATE sensor_events SET payload_json = '{', observed_at = 'soon'")
      const [shown] = yield* list()
      expect(shown).toMatchObject({ sensorId: "pump", payload: { damaged: "payload_json is not JSON" } })
      expect(yield* record("b", { dedupeKey: "key-a" })).toEqual({ recorded: false, event: shown! })
    })
  )
}
