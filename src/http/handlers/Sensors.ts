import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { accept, list } from "../../operate/Sensors.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { takingAny } from "../Body.ts"

/** Observations of a list where the caller does not say how many. */
const EVENTS = 50

export const sensors = HttpApiBuilder.group(Api, "sensors", (handlers) =>
  handlers
    .handle("list", ({ urlParams: { after, limit = EVENTS } }) =>
      answer(list, { limit, after: Option.fromNullable(after) })
    )
    .handleRaw("accept", () =>
      takingAny((report) => answer(accept, report, ({ accepted }) => (accepted ? 201 : 200)))
    )
)
