import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { StepList } from "../../operate/answers/Attempts.ts"
import { maybe, query, reads, textOf, toggle, withStatus } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)
const LogQuery = query({ follow: maybe(toggle) })

const RANGE = reads(
  "range",
  "one part of the log: bytes=0-99, bytes=100- or bytes=-500; with follow=1 bytes=100-"
)

/** What attempts printed. */
export const Attempts = HttpApiGroup.make("attempts")
  .add(
    HttpApiEndpoint.get("stdout")`/api/attempts/${id}/stdout`
      .setUrlParams(LogQuery)
      .addSuccess(textOf("text/plain"))
      .addSuccess(withStatus(206, textOf("text/plain")))
      .annotate(OpenApi.Transform, RANGE)
      .annotate(
        OpenApi.Summary,
        "What an attempt printed; takes ranges, and follow=1 goes on until it has ended"
      )
  )
  .add(
    HttpApiEndpoint.get("stderr")`/api/attempts/${id}/stderr`
      .setUrlParams(LogQuery)
      .addSuccess(textOf("text/plain"))
      .addSuccess(withStatus(206, textOf("text/plain")))
      .annotate(OpenApi.Transform, RANGE)
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
