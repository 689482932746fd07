import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { OperatorText } from "../../domain/Task.ts"
import { EventList, Heartbeat, PauseChange, PauseStory, State } from "../../operate/answers/State.ts"
import { from, maybe, orNull, query, reads, strict, textOf, whole } from "../Contract.ts"

/** What `POST /api/pause` takes. */
export const PauseBody = strict(Schema.Struct({ paused: Schema.Boolean, reason: orNull(OperatorText) }))

/** The runtime as a whole. */
export const Runtime = HttpApiGroup.make("runtime")
  .add(
    HttpApiEndpoint.get("state", "/api/state")
      .addSuccess(State)
      .annotate(OpenApi.Summary, "What the runtime does now")
  )
  .add(
    HttpApiEndpoint.get("heartbeat", "/api/heartbeat")
      .addSuccess(Heartbeat)
      .annotate(OpenApi.Summary, "Whether the store answers; needs no token")
  )
  .add(
    HttpApiEndpoint.get("events", "/api/events")
      .setUrlParams(query({ since: maybe(from(0)), limit: maybe(whole(1, 10_000)) }))
      .addSuccess(EventList)
      .annotate(OpenApi.Summary, "The history after an event id, oldest first; without one its newest part")
  )
  .add(
    HttpApiEndpoint.get("stream", "/api/stream")
      .setUrlParams(query({ since: maybe(from(0)) }))
      .addSuccess(textOf("text/event-stream"))
      .annotate(
        OpenApi.Transform,
        reads("last-event-id", "the id of the last event that was read; it goes before since")
      )
      .annotate(
        OpenApi.Summary,
        "The history as it happens (server-sent events): `dashboard` first, then `events`; `reset` where what was asked for is gone"
      )
  )
  .add(
    HttpApiEndpoint.get("pauseState", "/api/pause")
      .addSuccess(PauseStory)
      .annotate(
        OpenApi.Summary,
        "Whether dispatch is paused, why and by whom; else who let it go on, and when"
      )
  )
  .add(
    HttpApiEndpoint.post("pause", "/api/pause")
      .setPayload(PauseBody)
      .addSuccess(PauseChange)
      .annotate(OpenApi.Summary, "Pauses dispatch, or lets it go on")
  )
