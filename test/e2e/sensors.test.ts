import { expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { Schema } from "effect"
import { errorOf, inPlace, runOnce, story } from "./inPlace.ts"
import { Events, exactly, Id, StatusReport, Time } from "./wire.ts"

setDefaultTimeout(60_000)

const fixture = join(import.meta.dir, "../../fixtures/sensor-event.json")
const text = Schema.String

const SensorEvent = Schema.Struct({
  sensor_event_id: Id,
  sensor_id: text,
  event_id: text,
  source_ref: text,
  dedupe_key: text,
  payload: Schema.Record({ key: text, value: Schema.Unknown }),
  observed_at: Time,
  freshness_deadline: Schema.NullOr(Time),
  stale: Schema.Boolean,
  task_id: Schema.NullOr(Id),
  workflow_id: Schema.NullOr(Schema.Int),
  created_at: Time
})

/** What `sensor-event` prints; `stale` only of one that came too late. */
const Accepted = Schema.Struct({
  accepted: Schema.Boolean,
  stale: Schema.optional(Schema.Literal(true)),
  task_id: Schema.NullOr(Id),
  workflow_id: Schema.NullOr(Schema.Int),
  event: SensorEvent
})

const plain = { sensor_id: "pump", event_id: "1", source_ref: "pump://1", dedupe_key: "pump:1", payload: {} }
const task = { kind: "note", source: "pump", payload: { level: 3 } }

test("an observation from a file makes a task and a workflow, both untrusted, and runs", () =>
  inPlace({}, async (place) => {
    const event = await Bun.file(fixture).json()
    // Before whatever the workflow queues.
    const urgent = { ...event, proposed_task: { ...event.proposed_task, priority: 100 } }
    const stdin = JSON.stringify(urgent)
    const first = exactly(Accepted, await place.json(["sensor-event", "-"], { stdin }))
    expect(first).toMatchObject({ accepted: true, workflow_id: 1 })
    const again = exactly(Accepted, await place.json(["sensor-event", "--file", fixture]))
    expect(again).toEqual({ ...first, accepted: false })
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(2)

    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: first.task_id })
    const told = await story(place, first.task_id ?? "")
    expect(told.task).toMatchObject({ kind: "discord-reply", source: "discord-mentions", untrusted: true })
    expect(told.events[0]?.actor).toEqual({ surface: "sensor", name: "discord-mentions" })
    const { events } = exactly(Events, await place.json(["events", "--since", "0"]))
    expect(events.map((one) => one.event_type).slice(0, 8)).toEqual([
      "sensor_event_recorded",
      "task_enqueued",
      "sensor_task_created",
      "workflow_created",
      "task_enqueued",
      "workflow_task_created",
      "sensor_workflow_created",
      "sensor_event_deduped"
    ])
  }))

test("of the same observation from many processes at once one is accepted", () =>
  inPlace({}, async (place) => {
    const document = (at: number) =>
      JSON.stringify({
        ...plain,
        // Half of them have only the one key in common, half only the other.
        ...(at % 2 === 0 ? { event_id: `other ${at}` } : { dedupe_key: at === 1 ? "pump:1" : `other ${at}` }),
        proposed_task: task,
        proposed_workflow: { template: "community-research", instance_key: "pump" }
      })
    await place.json(["status"])
    const first = exactly(Accepted, await place.json(["sensor-event", "--json", document(1)]))
    expect(first.accepted).toBe(true)
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, at) => place.json(["sensor-event", "--json", document(at)]))
    )
    for (const one of all) expect(one).toEqual({ ...first, accepted: false })
    const fresh = await Promise.all(
      Array.from({ length: 6 }, () =>
        place.json([
          "sensor-event",
          "--json",
          JSON.stringify({ ...plain, dedupe_key: "new", event_id: "new", proposed_task: task })
        ])
      )
    )
    const answers = fresh.map((one) => exactly(Accepted, one))
    expect(answers.filter((one) => one.accepted)).toHaveLength(1)
    expect(new Set(answers.map((one) => one.task_id)).size).toBe(1)
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(3)
  }))

test("an observation that comes too late is kept and makes nothing, and the list shows it", () =>
  inPlace({}, async (place) => {
    const late = { ...plain, freshness_deadline: "2020-01-01T00:00:00+02:00", proposed_task: task }
    const told = exactly(Accepted, await place.json(["sensor-event", "--json", JSON.stringify(late)]))
    expect(told).toMatchObject({ accepted: true, stale: true, task_id: null, workflow_id: null })
    expect(told.event).toMatchObject({ stale: true, freshness_deadline: "2019-12-31T22:00:00.000Z" })
    const next = { ...plain, event_id: "2", dedupe_key: "pump:2" }
    await place.json(["sensor-event", "--json", JSON.stringify(next)])
    const List = Schema.Struct({ events: Schema.Array(SensorEvent), next: Schema.NullOr(Schema.String) })
    const { events } = exactly(List, await place.json(["sensor-list"]))
    expect(events.map((one) => [one.event_id, one.stale])).toEqual([
      ["2", false],
      ["1", true]
    ])
    const first = exactly(List, await place.json(["sensor-list", "--limit", "1"]))
    expect(first.events).toEqual([events[0]!])
    const last = await place.json(["sensor-list", "--limit", "1", "--after", String(first.next)])
    expect(exactly(List, last)).toEqual({ events: [events[1]!], next: null })
    expect((await place.run(["sensor-list", "--limit", "1", "-o", "table"])).stdout).toContain(
      String(first.next)
    )
    expect((await place.run(["sensor-list", "--after", "x"])).code).toBe(2)
    expect((await place.run(["sensor-list", "-o", "table"])).stdout).toContain("pump://1")
    expect((await place.run(["sensor-list", "--limit", "501"])).code).toBe(2)
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(0)
  }))

test("an observation with something wrong in it is refused whole, by the path of each problem", () =>
  inPlace({}, async (place) => {
    for (const [changes, words] of [
      [
        { proposed_workflow: { template: "goal-lop", instance_key: "k" } },
        ["proposed_workflow.template", "goal-loop"]
      ],
      [
        { proposed_task: { source: "s", payload: [] } },
        ["proposed_task.kind is missing", "proposed_task.payload"]
      ],
      [{ dedup_key: "x" }, ["dedup_key is not a known key"]]
    ] as const) {
      const document = JSON.stringify({ ...plain, proposed_task: task, ...changes })
      const told = await place.run(["sensor-event", "-o", "json", "--json", document])
      expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 2, stdout: "" })
      for (const one of words) expect(errorOf(told).error).toContain(one)
    }
    expect(await place.json(["sensor-list"])).toEqual({ events: [], next: null })
    expect(exactly(Events, await place.json(["events", "--since", "0"])).events).toEqual([])
    const document = JSON.stringify({ ...plain, proposed_task: task })
    expect(await place.json(["sensor-event", "--json", document])).toMatchObject({ accepted: true })
  }))
