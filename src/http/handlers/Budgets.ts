import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { attemptUsage } from "../../operate/AttemptUsage.ts"
import { grant, list } from "../../operate/Budgets.ts"
import { USUAL_DAYS, usage } from "../../operate/Usage.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking } from "../Body.ts"
import { GrantBody } from "../groups/Budgets.ts"

export const budgets = HttpApiBuilder.group(Api, "budgets", (handlers) =>
  handlers
    .handle("usage", ({ urlParams: { days = USUAL_DAYS } }) => answer(usage, { days }))
    .handle("attempts", () => answer(attemptUsage, {}))
    .handle("list", () => answer(list, {}))
    .handleRaw("grant", ({ path: { id } }) =>
      taking(GrantBody, ({ attempts, subject, task, tokens, usd }) =>
        answer(grant, {
          id,
          usd: Option.fromNullable(usd),
          tokens: Option.fromNullable(tokens),
          attempts: Option.fromNullable(attempts),
          subject: Option.fromNullable(subject),
          task: Option.fromNullable(task)
        })
      )
    )
)
