import { HttpApi, OpenApi } from "@effect/platform"
import { problem } from "./Contract.ts"
import { Runtime } from "./groups/Runtime.ts"
import { Tasks } from "./groups/Tasks.ts"

/** The LAN API (SPEC.md section 15): server, OpenAPI document and client come from this one definition. */
export const Api = HttpApi.make("agent-runtime")
  .add(Runtime)
  .add(Tasks)
  .addError(problem(400))
  .addError(problem(401))
  .addError(problem(403))
  .addError(problem(404))
  .addError(problem(409))
  .addError(problem(413))
  .addError(problem(415))
  .addError(problem(429))
  .addError(problem(500))
  .addError(problem(503))
  .annotate(OpenApi.Title, "agent-runtime")
  .annotate(
    OpenApi.Description,
    "See and steer one agent runtime on its LAN. Reading needs the role read, changing the role operate."
  )
