import { HttpApi, OpenApi } from "@effect/platform"
import { problem } from "./Contract.ts"
import { Adapters } from "./groups/Adapters.ts"
import { Attempts } from "./groups/Attempts.ts"
import { Bridges } from "./groups/Bridges.ts"
import { Budgets } from "./groups/Budgets.ts"
import { Evidence } from "./groups/Evidence.ts"
import { Runtime } from "./groups/Runtime.ts"
import { Schedules } from "./groups/Schedules.ts"
import { Sensors } from "./groups/Sensors.ts"
import { Tasks } from "./groups/Tasks.ts"

import { Workflows } from "./groups/Workflows.ts"

/** The LAN API (SPEC.md section 15): server, OpenAPI document and client come from this one definition. */
export const Api = HttpApi.make("agent-runtime")
  .add(Runtime)
  .add(Tasks)
  .add(Attempts)
  .add(Workflows)
  .add(Schedules)
  .add(Sensors)
  .add(Evidence)
  .add(Adapters)
  .add(Bridges)
  .add(Budgets)
  .addError(problem(400))
  .addError(problem(401))
  .addError(problem(403))
  .addError(problem(404))
  .addError(problem(405))
  .addError(problem(408))
  .addError(problem(409))
  .addError(problem(413))
  .addError(problem(415))
  .addError(problem(416))
  .addError(problem(429))
  .addError(problem(500))
  .addError(problem(503))
  .annotate(OpenApi.Version, "1")
  .annotate(OpenApi.Title, "agent-runtime")
  .annotate(
    OpenApi.Description,
    "See and steer one agent runtime on its LAN. Reading needs the role read, changing the role operate."
  )
