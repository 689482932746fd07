import { DateTime } from "effect"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { UsageList } from "./answers/Usage.ts"
import { operation } from "./Operation.ts"

/** So many days are shown where nobody says how many, today included. */
export const USUAL_DAYS = 30
export const MOST_DAYS = 366

/** Tokens and cost by adapter and day (UTC) of the last `days`, 1..366, today included; newest day first. */
export const usage = operation({
  name: "usage.show",
  role: "read",
  output: UsageList,
  run: traced("Usage.usage")(function* (input: { readonly days: number }) {
    const store = yield* Store
    const since = DateTime.subtract(yield* now, { days: Math.min(Math.max(input.days, 1), MOST_DAYS) - 1 })
    return { usage: yield* store.usage.since(since) }
  })
})
