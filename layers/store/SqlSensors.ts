import { Effect, Either, Option } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { SensorEvent } from "../../src/domain/SensorEvent.ts"
import { traced } from "../../src/domain/Traced.ts"
import { cursorOf, readCursor } from "../../src/store/Cursor.ts"
import type { NewSensorEvent, Sensors } from "../../src/store/Sensors.ts"
import { json, orNull, time } from "./columns.ts"
import { isUuid, LAST, pageFrom } from "./idCursor.ts"
import { EPOCH, reader, salvager } from "./rows.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"
import { isWireTime } from "./taskPlace.ts"

// No target: whichever of the two keys is used up, nothing is inserted.
const RECORD = statement(`
  INSERT INTO sensor_events (sensor_event_id, sensor_id, event_id, source_ref, dedupe_key, payload_json, observed_at,
    freshness_deadline, stale, created_at)
  VALUES (:sensorEventId, :sensorId, :eventId, :sourceRef, :dedupeKey, :payload, :observedAt, :deadline, :stale, :at)
  ON CONFLICT DO NOTHING RETURNING *`)
const OF_KEY = statement("SELECT * FROM sensor_events WHERE dedupe_key = :dedupeKey")
const OF_SENSOR = statement("SELECT * FROM sensor_events WHERE sensor_id = :sensorId AND event_id = :eventId")
const LED_TO_TASK = statement(
  "UPDATE sensor_events SET task_id = :taskId WHERE sensor_event_id = :sensorEventId"
)
const LED_TO_WORKFLOW = statement(
  "UPDATE sensor_events SET workflow_id = :workflowId WHERE sensor_event_id = :sensorEventId"
)
const LIST = statement(`
  SELECT sensor_event_id, sensor_id, event_id, source_ref, dedupe_key, observed_at, freshness_deadline, stale, task_id,
    workflow_id, created_at, CASE WHEN length(payload_json) > 65536
      THEN json_object('shortened', json('true'), 'characters', length(payload_json)) ELSE payload_json END AS payload_json
  FROM sensor_events WHERE (created_at, sensor_event_id) < (:createdAt, :id)
  ORDER BY created_at DESC, sensor_event_id DESC LIMIT :limit`)
const THERE = statement("SELECT 1 FROM sensor_events WHERE sensor_event_id = :id AND created_at = :createdAt")

type Sql = Sqlite["Type"]

/** Where an event stands in the list. */
interface Place {
  readonly createdAt: string
  readonly id: string
}

/** Stands in the cursors of this list, so that another list's is told from them. */
const MARK = "sensor_events"
const cursorAfter = (row: Row): string =>
  cursorOf([MARK, String(row.created_at), String(row.sensor_event_id)])

const placeIn = (text: string): Option.Option<Place> =>
  Option.flatMap(readCursor(text), ([mark, createdAt, id, ...more]) =>
    mark !== MARK || createdAt === undefined || id === undefined || more.length > 0
      ? Option.none()
      : Option.some({ createdAt, id })
  )

/** The place after which a page begins; none for a cursor that the list did not give. */
const startOf = (sqlite: Sql, after: Option.Option<string>) =>
  Effect.gen(function* () {
    if (Option.isNone(after)) return Option.some<Place>({ createdAt: LAST, id: LAST })
    const place = placeIn(after.value)
    if (Option.isNone(place) || (isWireTime(place.value.createdAt) && isUuid(place.value.id))) return place
    // An adopted event has an id of another form: while it is there, the list goes on after it.
    return (yield* sqlite.rows(THERE, { ...place.value })).length > 0 ? place : Option.none()
  })

const read = reader("sensor_events", "sensor_event_id", SensorEvent)
// An observation that does not decode is shown with what is wrong in the place of its payload.
const salvaged = salvager(
  SensorEvent,
  {
    sensor_event_id: "unreadable",
    sensor_id: "unreadable",
    event_id: "unreadable",
    source_ref: "unreadable",
    dedupe_key: "unreadable",
    observed_at: EPOCH,
    stale: false,
    created_at: EPOCH
  },
  (problem) => ({ payload: { damaged: problem } })
)
const shown = (row: Row): SensorEvent => Either.getOrElse(read(row), ({ problem }) => salvaged(row, problem))

const record = (sqlite: Sql, event: NewSensorEvent, stamp: Stamp) =>
  sqlite.transact(
    "Sensors.record",
    Effect.gen(function* () {
      const { dedupeKey, eventId, sensorEventId, sensorId } = event
      const made = (yield* sqlite.rows(RECORD, {
        sensorEventId,
        sensorId,
        eventId,
        sourceRef: event.sourceRef,
        dedupeKey,
        payload: json(event.payload),
        observedAt: time(event.observedAt),
        deadline: orNull(Option.map(event.freshnessDeadline, time)),
        stale: event.stale ? 1 : 0,
        at: time(stamp.at)
      }))[0]
      const names = { sensor_id: sensorId, event_id: eventId, dedupe_key: dedupeKey }
      if (made === undefined) {
        const byKey = yield* sqlite.rows(OF_KEY, { dedupeKey })
        const first = byKey[0] ?? (yield* sqlite.rows(OF_SENSOR, { sensorId, eventId }))[0]!
        const detail = { sensor_event_id: String(first.sensor_event_id), ...names }
        yield* appendEvent(sqlite, "sensor_event_deduped", {}, detail, stamp)
        return { recorded: false, event: shown(first) }
      }
      const detail = { sensor_event_id: sensorEventId, ...names }
      yield* appendEvent(sqlite, "sensor_event_recorded", {}, detail, stamp)
      if (event.stale)
        yield* appendEvent(
          sqlite,
          "sensor_event_stale",
          {},
          { ...detail, freshness_deadline: orNull(Option.map(event.freshnessDeadline, time)) },
          stamp
        )
      return { recorded: true, event: shown(made) }
    })
  )

export const make = (sqlite: Sql): Sensors => ({
  record: traced("Sensors.record")((event, stamp) => record(sqlite, event, stamp)),
  ledToTask: traced("Sensors.ledToTask")((sensorEventId, { created, taskId }, stamp) =>
    sqlite.transact(
      "Sensors.ledToTask",
      Effect.gen(function* () {
        yield* sqlite.rows(LED_TO_TASK, { sensorEventId, taskId })
        // Of one that was there already the queue tells itself.
        if (created)
          yield* appendEvent(
            sqlite,
            "sensor_task_created",
            { taskId },
            { sensor_event_id: sensorEventId },
            stamp
          )
      })
    )
  ),
  ledToWorkflow: traced("Sensors.ledToWorkflow")(
    (sensorEventId, { created, instanceKey, workflowId }, stamp) =>
      sqlite.transact(
        "Sensors.ledToWorkflow",
        Effect.gen(function* () {
          yield* sqlite.rows(LED_TO_WORKFLOW, { sensorEventId, workflowId })
          yield* appendEvent(
            sqlite,
            created ? "sensor_workflow_created" : "sensor_workflow_deduped",
            { workflowId },
            { sensor_event_id: sensorEventId, workflow_id: workflowId, instance_key: instanceKey },
            stamp
          )
        })
      )
  ),
  list: traced("Sensors.list")(({ after, limit }) =>
    Effect.gen(function* () {
      const from = yield* startOf(sqlite, after)
      if (Option.isNone(from)) return Option.none()
      const rows = yield* sqlite.rows(LIST, { ...from.value, limit: limit + 1 })
      const page = pageFrom(rows, limit, cursorAfter)
      return Option.some({ events: page.shown.map(shown), next: page.next })
    })
  )
})
