import { HttpApiBuilder } from "@effect/platform"
import { clear, list } from "../../operate/Adapters.ts"
import * as Skills from "../../operate/Skills.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { takingNothing } from "../Body.ts"

export const adapters = HttpApiBuilder.group(Api, "adapters", (handlers) =>
  handlers
    .handle("list", ({ urlParams: { probe = true } }) => answer(list, { probe }))
    .handleRaw("clear", ({ path: { id } }) => takingNothing(() => answer(clear, { id })))
    .handle("skills", () => answer(Skills.list, {}))
)
