import { type Finding, finding } from "./Issues.ts"
import { found } from "./Shown.ts"
import { has } from "./TwoNames.ts"

/** What a budget is, in the words of an error. */
export const BUDGET = "a budget with exactly one of usd, tokens and attempts"

const UNITS = ["usd", "tokens", "attempts"]

/** What JSON Schema can say of the rules below: all but that the reserve is at most the limit. */
export const BUDGET_RULES = {
  allOf: [
    { oneOf: UNITS.map(has) },
    { not: { allOf: [{ properties: { per: { const: "all" } } }, has("match")] } },
    { not: { allOf: [{ properties: { reserve: { not: { const: 1 } } } }, has("reserve"), has("attempts")] } }
  ]
}

/**
 * What no single key of a budget tells. It reads the value before it is decoded, so that all problems are told at
 * once, and skips what is of the wrong type.
 */
export const budgetRules = (budgets: ReadonlyArray<unknown>): ReadonlyArray<Finding> =>
  budgets.flatMap((budget, index) =>
    typeof budget === "object" && budget !== null && !Array.isArray(budget)
      ? ruled(["budgets", index], new Map(Object.entries(budget)))
      : []
  )

type Place = ReadonlyArray<PropertyKey>

const ruled = (at: Place, budget: ReadonlyMap<string, unknown>): ReadonlyArray<Finding> => {
  const given = UNITS.filter((unit) => budget.has(unit))
  const one = given.length === 1 ? given[0] : undefined
  return [
    ...(given.length === 0 ? [finding("rule", at, "it has no limit", BUDGET, "")] : []),
    ...(given.length > 1
      ? [finding("rule", at, `it has ${given.length} limits (${given.join(", ")})`, BUDGET, "")]
      : []),
    ...(budget.get("per") === "all" && budget.has("match") ? [matchesAll(at, budget.get("match"))] : []),
    ...(one === undefined ? [] : reserves([...at, "reserve"], one, budget.get("reserve"), budget.get(one)))
  ]
}

const matchesAll = (at: Place, match: unknown) =>
  finding(
    "unfit",
    [...at, "match"],
    found(match, []),
    "no such key beside `per` all, which counts all attempts together",
    "remove it, or count `per` adapter, profile or workflow"
  )

/** An attempt is one attempt, whatever it is said to set aside: less would let concurrent starts overshoot. */
const reserves = (at: Place, unit: string, reserve: unknown, limit: unknown): ReadonlyArray<Finding> => {
  if (typeof reserve !== "number") return []
  if (unit === "attempts")
    return reserve === 1
      ? []
      : [
          finding(
            "unfit",
            at,
            found(reserve, []),
            "1 beside `attempts`, for an attempt is exactly one",
            "remove it"
          )
        ]
  return typeof limit === "number" && limit > 0 && reserve > limit
    ? [
        finding(
          "unfit",
          at,
          found(reserve, []),
          `at most ${limit}, which is the whole budget: with more of it nothing would ever start`,
          "lower it, or remove it"
        )
      ]
    : []
}
