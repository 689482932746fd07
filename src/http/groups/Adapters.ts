import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { AdapterList, ClearedAdapter } from "../../operate/answers/Adapters.ts"
import { SkillList } from "../../operate/answers/Skills.ts"
import { maybe, query, toggle } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

/** The configured ways to execute, and the skills that are there for them. */
export const Adapters = HttpApiGroup.make("adapters")
  .add(
    HttpApiEndpoint.get("list", "/api/adapters")
      .setUrlParams(query({ probe: maybe(toggle) }))
      .addSuccess(AdapterList)
      .annotate(OpenApi.Summary, "The adapters with what their probes say; probe=0 asks none")
  )
  .add(
    HttpApiEndpoint.post("clear")`/api/adapters/${id}/clear`
      .addSuccess(ClearedAdapter)
      .annotate(OpenApi.Summary, "Ends the cool-down of an adapter")
  )
  .add(
    HttpApiEndpoint.get("skills", "/api/skills")
      .addSuccess(SkillList)
      .annotate(OpenApi.Summary, "The skills that a task may name")
  )
