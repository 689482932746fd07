import { HttpApiBuilder } from "@effect/platform"
import { steps } from "../../operate/AttemptSteps.ts"
import { answer, responding } from "../Answer.ts"
import { Api } from "../Api.ts"
import { logStream } from "../LogStream.ts"

export const attempts = HttpApiBuilder.group(Api, "attempts", (handlers) =>
  handlers
    .handle("stdout", ({ path: { id }, urlParams: { follow = false } }) =>
      responding(logStream(id, "stdout", follow))
    )
    .handle("stderr", ({ path: { id }, urlParams: { follow = false } }) =>
      responding(logStream(id, "stderr", follow))
    )
    .handle("steps", ({ path: { id } }) => answer(steps, { id }))
)
