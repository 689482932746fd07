import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { JsonObject } from "../../domain/Json.ts"
import { WorkflowProposal } from "../../domain/SensorEvent.ts"
import { WORKFLOW_STATUSES } from "../../domain/WorkflowStatuses.ts"
import {
  CompletedWorkflow,
  MovedWorkflow,
  OpenedWorkflow,
  TemplateList,
  WorkflowList,
  WorkflowStory
} from "../../operate/answers/Workflows.ts"
import { choices, cursor, maybe, query, strict, toggle, whole, withStatus } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

/** What `POST /api/workflows/:id/transition` takes. */
export const TransitionBody = strict(
  Schema.Struct({
    state: Schema.String,
    context: Schema.optionalWith(JsonObject, { default: () => ({}), nullable: true })
  })
)

/** Workflows: their instances and the templates that they are made from. */
export const Workflows = HttpApiGroup.make("workflows")
  .add(
    HttpApiEndpoint.get("list", "/api/workflows")
      .setUrlParams(
        query({
          all: maybe(toggle),
          counted: maybe(toggle),
          status: maybe(choices(WORKFLOW_STATUSES)),
          limit: maybe(whole(1, 500)),
          after: maybe(cursor)
        })
      )
      .addSuccess(WorkflowList)
      .annotate(
        OpenApi.Summary,
        "The instances that go on or wait for an operator, newest first; all=1 has the completed ones too, counted=1 tells how many there are of each status"
      )
  )
  .add(
    HttpApiEndpoint.get("templates", "/api/workflows/templates")
      .addSuccess(TemplateList)
      .annotate(OpenApi.Summary, "The templates, each with its diagram")
  )
  .add(
    HttpApiEndpoint.get("show")`/api/workflows/${id}`
      .addSuccess(WorkflowStory)
      .annotate(OpenApi.Summary, "One instance with its history, by its id or its instance_key")
  )
  .add(
    HttpApiEndpoint.post("create", "/api/workflows")
      .setPayload(WorkflowProposal)
      .addSuccess(withStatus(201, OpenedWorkflow))
      .addSuccess(OpenedWorkflow)
      .annotate(
        OpenApi.Summary,
        "Opens an instance; while its key is taken (200) answers the one that has it"
      )
  )
  .add(
    HttpApiEndpoint.post("transition")`/api/workflows/${id}/transition`
      .setPayload(TransitionBody)
      .addSuccess(MovedWorkflow)
      .annotate(OpenApi.Summary, "Takes an instance into a state that its present one leads to")
  )
  .add(
    HttpApiEndpoint.post("complete")`/api/workflows/${id}/complete`
      .addSuccess(CompletedWorkflow)
      .annotate(OpenApi.Summary, "Ends an instance in the state that it is in")
  )
