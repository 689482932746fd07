import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { create, disable, enable, list, remove, show, tick } from "../../operate/Schedules.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking, takingAny, takingNothing } from "../Body.ts"
import { DisableBody } from "../groups/Schedules.ts"

export const schedules = HttpApiBuilder.group(Api, "schedules", (handlers) =>
  handlers
    .handle("list", () => answer(list, {}))
    .handleRaw("save", () => takingAny((schedule) => answer(create, schedule, 201)))
    // The network never supplies the clock.
    .handleRaw("tick", () => takingNothing(() => answer(tick, { at: Option.none() })))
    .handle("show", ({ path: { name } }) => answer(show, { name }))
    .handleRaw("enable", ({ path: { name } }) => takingNothing(() => answer(enable, { name })))
    .handleRaw("disable", ({ path: { name } }) =>
      taking(DisableBody, ({ reason }) => answer(disable, { name, reason: Option.fromNullable(reason) }))
    )
    .handleRaw("delete", ({ path: { name } }) => takingNothing(() => answer(remove, { name })))
)
