import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, status, table } from "./Doc.ts"
import {
  afterOption,
  documentOptions,
  documentUsage,
  limitOption,
  readDocument,
  stdinArgument
} from "./Input.ts"

const operations = () => import("../operate/Sensors.ts")

export const sensorEvent = command({
  name: "sensor-event",
  group: "Work",
  summary: "take in what a sensor has observed",
  description:
    "Records sensor_id, event_id, source_ref, dedupe_key and payload, and makes the proposed_task and the proposed_workflow where it names them. A repeat of a dedupe_key, or of a sensor's event_id, makes nothing: `accepted` is false. After its freshness_deadline an event is recorded and makes nothing.",
  usage: documentUsage,
  example: "agent-runtime sensor-event --file fixtures/sensor-event.json",
  arguments: [stdinArgument],
  options: documentOptions,
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) => ask(async () => (await operations()).accept, document))
})

export const sensorList = command({
  name: "sensor-list",
  group: "Look",
  summary: "what sensors have observed, newest first",
  description: "`next` is the cursor of the page after, null on the last one.",
  example: "agent-runtime sensor-list --limit 10",
  arguments: [],
  options: [limitOption, afterOption],
  run: (input) => ask(async () => (await operations()).list, input),
  view: ({ events, next }) => [
    table(
      ["sensor", "event", "observed", "fresh", { title: "task", keep: true }, "workflow", "source"],
      events.map((one) => [
        one.sensor_id,
        one.event_id,
        one.observed_at,
        one.stale ? status("stale") : "fresh",
        one.task_id,
        one.workflow_id,
        one.source_ref
      ]),
      "none; hand one in with agent-runtime sensor-event"
    ),
    ...(next === null ? [] : [fields([["next", next]])])
  ]
})
