import { Effect } from "effect"
import { command } from "./Command.ts"

export const configSchema = command({
  name: "config-schema",
  group: "Set up",
  summary: "the JSON Schema of the configuration file",
  example: "agent-runtime config-schema > runtime.schema.json",
  arguments: [],
  options: [],
  run: () => Effect.promise(async () => (await import("../config/ConfigJsonSchema.ts")).configJsonSchema())
})
