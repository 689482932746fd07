import { type Finding, finding } from "./Issues.ts"

/** What a budget is, in the words of an error. */
export const BUDGET = "a budget with exactly one of usd, tokens and attempts"

const UNITS = ["usd", "tokens", "attempts"]

/**
 * What no single key of a budget tells. It reads the value before it is decoded, so that all problems are told at
 * once, and skips what is of the wrong type.
 */
export const budgetRules = (budgets: ReadonlyArray<unknown>): ReadonlyArray<Finding> =>
  budgets.flatMap((budget, index) =>
    typeof budget === "object" && budget !== null && !Array.isArray(budget)
      ? ruled(new Map(Object.entries(budget))).map((what) =>
          finding("rule", ["budgets", index], what, BUDGET, "")
        )
      : []
  )

const ruled = (budget: ReadonlyMap<string, unknown>): ReadonlyArray<string> => {
  const given = UNITS.filter((unit) => budget.has(unit))
  const reserve = budget.get("reserve")
  const limit = budget.get(given[0] ?? "")
  const isTooMuch = typeof reserve === "number" && typeof limit === "number" && reserve > limit
  return [
    ...(given.length === 0 ? ["it has no limit"] : []),
    ...(given.length > 1 ? [`it has ${given.length} limits (${given.join(", ")})`] : []),
    ...(budget.get("per") === "all" && budget.has("match") ? ["`match` makes no sense with `per` all"] : []),
    ...(given.length === 1 && isTooMuch
      ? ["`reserve` is more than the whole budget, so that nothing would ever start"]
      : [])
  ]
}
