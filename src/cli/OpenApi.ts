import { Effect } from "effect"
import { command } from "./Command.ts"

export const openapi = command({
  name: "openapi",
  group: "Set up",
  summary: "the OpenAPI document of the LAN API",
  example: "agent-runtime openapi > openapi.json",
  arguments: [],
  options: [],
  run: () => Effect.promise(async () => (await import("../http/OpenApiDocument.ts")).openApi())
})
