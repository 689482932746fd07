import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { StepList } from "../../operate/answers/Attempts.ts"
import { maybe, query, textOf, toggle } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)
const LogQuery = query({ follow: maybe(toggle) })

/** What attempts printed. */
export const Attempts = HttpApiGroup.make("attempts")
  .add(
    HttpApiEndpoint.get("stdout")`/api/attempts/${id}/stdout`
      .setUrlParams(LogQuery)
      .addSuccess(textOf("text/plain"))
      .annotate(
        OpenApi.Summary,
        "What an attempt printed; takes ranges, and follow=1 goes on until it has ended"
      )
  )
  .add(
    HttpApiEndpoint.get("stderr")`/api/attempts/${id}/stderr`
      .setUrlParams(LogQuery)
      .addSuccess(textOf("text/plain"))
      .annotate(OpenApi.Summary, "What an attempt printed to stderr; takes ranges, and follow=1")
  )
  .add(
    HttpApiEndpoint.get("steps")`/api/attempts/${id}/steps`
      .addSuccess(StepList)
      .annotate(
        OpenApi.Summary,
        "What the agent of an attempt did, step by step; none where its adapter tells none"
      )
  )
