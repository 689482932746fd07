import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { SensorReport } from "../../domain/SensorEvent.ts"
import { AcceptedEvent, SensorEventList } from "../../operate/answers/Sensors.ts"
import { cursor, maybe, query, whole, withStatus } from "../Contract.ts"

/** What sensors have observed. */
export const Sensors = HttpApiGroup.make("sensors")
  .add(
    HttpApiEndpoint.get("list", "/api/sensors/events")
      .setUrlParams(query({ limit: maybe(whole(1, 500)), after: maybe(cursor) }))
      .addSuccess(SensorEventList)
      .annotate(OpenApi.Summary, "Observations, newest first")
  )
  .add(
    HttpApiEndpoint.post("accept", "/api/sensors/events")
      .setPayload(SensorReport)
      .addSuccess(withStatus(201, AcceptedEvent))
      .addSuccess(AcceptedEvent)
      .annotate(OpenApi.Summary, "Takes in an observation (201); a repeat creates nothing (200)")
  )
