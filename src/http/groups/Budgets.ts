import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { BudgetList, GrantedBudget, MOST_GRANTED } from "../../operate/answers/Budgets.ts"
import { AttemptUsage, UsageList } from "../../operate/answers/Usage.ts"
import { maybe, orNull, query, strict, whole } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

// What is no such amount is told with what the budget counts.
const amount = (bounds: object) =>
  orNull(Schema.Number.annotations({ jsonSchema: { ...bounds, maximum: MOST_GRANTED } }))
const count = amount({ type: "integer", minimum: 1 })

/** What `POST /api/budgets/:id/grant` takes: the one amount that the budget counts, and to which account. */
export const GrantBody = strict(
  Schema.Struct({
    usd: amount({ type: "number", exclusiveMinimum: 0 }),
    tokens: count,
    attempts: count,
    subject: orNull(Schema.String),
    task: orNull(Schema.String)
  })
)

/** What was used, and what may be. */
export const Budgets = HttpApiGroup.make("budgets")
  .add(
    HttpApiEndpoint.get("usage", "/api/usage")
      .setUrlParams(query({ days: maybe(whole(1, 366)) }))
      .addSuccess(UsageList)
      .annotate(OpenApi.Summary, "Tokens and cost by adapter and day, newest day first")
  )
  .add(
    HttpApiEndpoint.get("attempts", "/api/usage/attempts")
      .addSuccess(AttemptUsage)
      .annotate(
        OpenApi.Summary,
        "How attempts went in the last 24 hours, by adapter and hour: ends, durations, tokens; of the newest 5,000 each"
      )
  )
  .add(
    HttpApiEndpoint.get("list", "/api/budgets")
      .addSuccess(BudgetList)
      .annotate(OpenApi.Summary, "The budgets, and what is left of them")
  )
  .add(
    HttpApiEndpoint.post("grant")`/api/budgets/${id}/grant`
      .setPayload(GrantBody)
      .addSuccess(GrantedBudget)
      .annotate(OpenApi.Summary, "Adds to a budget's present window")
  )
