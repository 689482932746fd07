import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { ScheduleIntent } from "../../domain/RecurringSchedule.ts"
import { OperatorText } from "../../domain/Task.ts"
import {
  RemovedSchedule,
  SavedSchedule,
  ScheduleList,
  ScheduleStory,
  Ticked,
  TurnedSchedule
} from "../../operate/answers/Schedules.ts"
import { orNull, strict, TakesAnyName, withStatus } from "../Contract.ts"

const name = HttpApiSchema.param("name", Schema.String)

/** What `POST /api/schedules/:name/disable` takes. */
export const DisableBody = strict(Schema.Struct({ reason: orNull(OperatorText) }))

/** Recurring schedules. */
export const Schedules = HttpApiGroup.make("schedules")
  .add(
    HttpApiEndpoint.get("list", "/api/schedules")
      .addSuccess(ScheduleList)
      .annotate(OpenApi.Summary, "All schedules, by name")
  )
  .add(
    HttpApiEndpoint.post("save", "/api/schedules")
      .setPayload(ScheduleIntent)
      .addSuccess(withStatus(201, SavedSchedule))
      .annotate(OpenApi.Summary, "Saves a schedule, over the one that has its name")
  )
  .add(
    HttpApiEndpoint.post("tick", "/api/schedules/tick")
      .addSuccess(Ticked)
      .annotate(OpenApi.Summary, "Evaluates what is due by the server's clock")
  )
  .add(
    HttpApiEndpoint.get("show")`/api/schedules/${name}`
      .addSuccess(ScheduleStory)
      .annotate(TakesAnyName, true)
      .annotate(OpenApi.Summary, "A schedule with what became of its due times, newest first")
  )
  .add(
    HttpApiEndpoint.post("enable")`/api/schedules/${name}/enable`
      .addSuccess(TurnedSchedule)
      .annotate(OpenApi.Summary, "Turns a schedule on")
  )
  .add(
    HttpApiEndpoint.post("disable")`/api/schedules/${name}/disable`
      .setPayload(DisableBody)
      .addSuccess(TurnedSchedule)
      .annotate(OpenApi.Summary, "Turns a schedule off")
  )
  .add(
    HttpApiEndpoint.post("delete")`/api/schedules/${name}/delete`
      .addSuccess(RemovedSchedule)
      .annotate(OpenApi.Summary, "Removes a schedule; the tasks that it created stay")
  )
