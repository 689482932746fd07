import { Effect, Option } from "effect"
import { traced } from "../domain/Traced.ts"
import { ingest, readReport } from "../intake/Sensor.ts"
import { Store } from "../store/Store.ts"
import { AcceptedEvent, SensorEventList } from "./answers/Sensors.ts"
import { tooManyOperatorTasks } from "./Message.ts"
import { operation } from "./Operation.ts"
import { badCursor } from "./Refusal.ts"

/**
 * Takes in an observation of a sensor. `accepted` is false for a repeat, which answers the first one's ids;
 * `stale` is there for one that came too late to make anything.
 */
export const accept = operation({
  name: "sensors.accept",
  role: "operate",
  output: AcceptedEvent,
  run: traced("Sensors.accept")(function* (input: unknown) {
    const { accepted, event } = yield* ingest(yield* readReport(input)).pipe(
      Effect.catchTag("TooManyOperatorTasks", () => tooManyOperatorTasks)
    )
    const { taskId, workflowId } = event
    return {
      accepted,
      ...(accepted && event.stale ? { stale: true as const } : {}),
      taskId,
      workflowId,
      event
    }
  })
})

/** What sensors have observed, newest first. */
export const list = operation({
  name: "sensors.list",
  role: "read",
  output: SensorEventList,
  run: traced("Sensors.list")(function* (input: {
    /** 1..500. */
    readonly limit: number
    readonly after: Option.Option<string>
  }) {
    const store = yield* Store
    const page = yield* store.sensors.list(input)
    return Option.isNone(page) ? yield* badCursor(input.after) : page.value
  })
})
